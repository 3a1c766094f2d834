"""Control tokens of chat formats in a model's text, and what a model writes behind its own turn."""

from __future__ import annotations

import re

# The end of the model's turn: whatever a model writes behind it is another turn that it made up.
_TURN_ENDS = re.compile(
    r"""(?ix)
    <\|(?:im_end|eot_id|eom_id|endoftext|end_of_text|end|return|call|endofprompt|end_of_turn_token|eos
        |eot|endofassistant|assistant_end|end_of_(?:turn|solution|response)
          |end[▁_]of[▁_](?:turn|sentence|document)
          |end_response)\|>
    | <｜end▁of▁sentence｜> | <(?:end_of_turn|turn\||eos|seed:eos|\|/?turn>)> | <turn\|> | </s>
    | <\|(?:user|im_start|start_header_id|header_start|observation)\|>(?=\s*(?:user|human|system|<|\s|\Z))
    | <\|(?:user|user_start|im_user)\|> | \[\|(?:endofturn|user)\|\] | <sep>\s*(?:human|user|\Z)
    | <start_of_turn>\s*user | \[/?INST\](?=\s*\Z) | <</?SYS>> | </SYS>> | \[EOS\] | <\|im_end\|?\Z
    """
)
# The beginning of the model's own turn, with the name of its role.
_TURN_BEGINS = re.compile(
    r"""(?ix) \A \s* (?:
      <\|(?:im_start|start_header_id|header_start|start|role_start|im_assistant)\|>\s*
        (?:assistant|model|ai)?\s*(?:<\|(?:end_header_id|header_end|role_end|im_middle)\|>)?
    | \[\|assistant\|\] | (?:<\|start_of_turn_token\|>\s*)?<\|chatbot_token\|>
    | <\|(?:assistant|assistant_start|bot|model|start_response|begin_of_solution|begin_of_text|startoftext
      |begin_of_box|sep)\|>
    | <start_of_turn>\s*(?:model)? | <\|turn>\s*(?:model)? | <｜(?:assistant|begin▁of▁sentence)｜>
    | <(?:s|bos|seed:bos)> | <\|start_of_role\|>assistant<\|end_of_role\|>
    | (?:\[INST\].*?)? \[/INST\]
    | <\|channel\|>\s*final[^<]{0,20}(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>
    )""",
    re.S,
)
_LAST = re.compile(
    r"(?:\s*(?:<\|(?:im_end|eot_id|eom_id|endoftext|end_of_text|end|return)\|>|<｜end▁of▁sentence｜>|</s>|<end_of_turn>"
    r"|<turn\|>|<eos>))+\s*\Z",
    re.I,
)
_LEFT_OVER = re.compile(
    r"(?i)<pad>|<unk>|<0x[0-9a-f]{2}>|<unused\d+>|<\|(?:end_of_box|begin_of_box|assistant|sep|fim_\w+"
    r"|reserved_\w+|eot)\|>"
)


def without_last_tokens(text: str) -> str:
    """Return an answer in a chat without the tokens that it ends with: within it they may be its subject."""
    return _LAST.sub("", text).strip()


def without_control_tokens(text: str) -> str:
    """Return the model's own turn in `text`, without the control tokens around it.

    An answer that would be empty without them stays one: it is for the caller to say so.
    """
    while match := _TURN_BEGINS.match(text):
        text = text[match.end() :]
    ending = _TURN_ENDS.search(text)
    while ending and not text[: ending.start()].strip():
        text = text[ending.end() :]
        ending = _TURN_ENDS.search(text)
    return _LEFT_OVER.sub("", text[: ending.start()] if ending else text).strip()
