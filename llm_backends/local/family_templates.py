"""Chat templates of families, for files that come without one: told apart by the tokens that mark turns."""

from __future__ import annotations

from collections.abc import Collection

# Each is the format on the model card, in Jinja, which drops a newline at the end of a template's own text.
# A template that knows no system message refuses it: `chat_template.fill` moves it into the first question.
# https://ai.google.dev/gemma/docs/core/prompt-structure
_GEMMA = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'system' %}{{ raise_exception('no system messages') }}{% endif %}"
    "<start_of_turn>{{ 'model' if message.role == 'assistant' else 'user' }}\n"
    "{{ message.content }}<end_of_turn>\n"
    "{% endfor %}{{ '<start_of_turn>model\n' }}"
)
# https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1/
_LLAMA_3 = (
    "{{ bos_token }}{% for message in messages %}"
    "<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n{{ message.content }}<|eot_id|>"
    "{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}"
)
_BY_TOKENS = (
    (frozenset({"<start_of_turn>", "<end_of_turn>"}), _GEMMA),
    (frozenset({"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}), _LLAMA_3),
)


def template_for(tokens: Collection[str]) -> str:
    """The template of the family that has `tokens` among its control tokens; empty for an unknown one."""
    return next((template for marks, template in _BY_TOKENS if marks.issubset(tokens)), "")
