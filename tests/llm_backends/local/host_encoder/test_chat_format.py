from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quillwork.llm_backends.local.host_encoder import chat_format
from quillwork.llm_backends.local.host_encoder.chat_format import ChatStyle, ChatTokens
from quillwork.llm_backends.types import Image, Message

tokenizers = pytest.importorskip("tokenizers")

NAMES = {
    "chatml": (
        chat_format.CHATML_THINKING,
        ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|vision_start|>", "<think>", "</think>"),
    ),
    "gemma": (
        chat_format.GEMMA,
        ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<unused7>"),
    ),
    "gemma_4": (
        chat_format.GEMMA_4,
        ("<bos>", "<eos>", "<|turn>", "<turn|>", "<|think|>", "<|channel>", "<channel|>", "<|image|>"),
    ),
    "mistral": (
        chat_format.MISTRAL,
        (
            "<s>",
            "</s>",
            "[INST]",
            "[/INST]",
            "[SYSTEM_PROMPT]",
            "[/SYSTEM_PROMPT]",
            "[TOOL_CALLS]",
            "[THINK]",
        ),
    ),
}
MESSAGES = (Message("system", "Write prompts."), Message("user", "a fox"))


def tokenizer_of(names: tuple[str, ...]) -> Any:
    """A real byte-level tokenizer that reads the family's control tokens wherever it meets their names."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: index for index, character in enumerate(alphabet)}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens(list(names))
    return made


@cache
def tokens_of(name: str) -> tuple[ChatTokens, Any]:
    style, names = NAMES[name]
    return on(style, tokenizer_of(names))


def on(style: ChatStyle, tokenizer: Any) -> tuple[ChatTokens, Any]:
    tokens = ChatTokens(
        style,
        lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
        lambda ids: tokenizer.decode(ids, skip_special_tokens=False),
        tokenizer.get_vocab(),
    )
    return tokens, tokenizer


@pytest.mark.parametrize(
    ("name", "thinks", "text"),
    [
        (
            "chatml",
            False,
            "<|im_start|>system\nWrite prompts.<|im_end|>\n<|im_start|>user\na fox<|im_end|>\n"
            "<|im_start|>assistant\n<think>\n\n</think>\n\n",
        ),
        (
            "chatml",
            True,
            "<|im_start|>system\nWrite prompts.<|im_end|>\n<|im_start|>user\na fox<|im_end|>\n"
            "<|im_start|>assistant\n<think>\n",
        ),
        (
            "gemma",
            False,
            "<bos><start_of_turn>user\nWrite prompts.\n\na fox<end_of_turn>\n<start_of_turn>model\n",
        ),
        (
            "gemma_4",
            False,
            "<bos><|turn>system\nWrite prompts.<turn|>\n<|turn>user\na fox<turn|>\n<|turn>model\n",
        ),
        (
            "gemma_4",
            True,
            "<bos><|turn>system\n<|think|>\nWrite prompts.<turn|>\n<|turn>user\na fox<turn|>\n<|turn>model\n",
        ),
        ("mistral", False, "<s>[SYSTEM_PROMPT]Write prompts.[/SYSTEM_PROMPT][INST]a fox[/INST]"),
    ],
)
def test_each_family_is_talked_to_in_its_own_format(name: str, thinks: bool, text: str) -> None:
    tokens, tokenizer = tokens_of(name)
    ids, _ = tokens.encode(MESSAGES, thinks)
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    assert ids == tokenizer.encode(text, add_special_tokens=False).ids


def test_only_a_style_that_opens_the_thought_itself_says_so() -> None:
    assert tokens_of("chatml")[0].encode(MESSAGES, True)[1] is True
    assert tokens_of("chatml")[0].encode(MESSAGES, False)[1] is False
    assert tokens_of("gemma_4")[0].encode(MESSAGES, True)[1] is False


def test_the_larger_gemma_4_is_shown_a_thought_that_is_over() -> None:
    tokens, tokenizer = on(chat_format.GEMMA_4_LARGE, tokenizer_of(NAMES["gemma_4"][1]))
    text = tokenizer.decode(tokens.encode(MESSAGES, False)[0], skip_special_tokens=False)
    assert text.endswith("<|turn>model\n<|channel>thought\n<channel|>")


def test_answers_of_earlier_turns_stand_as_the_models_own() -> None:
    tokens, tokenizer = tokens_of("mistral")
    talk = (Message("user", "one"), Message("assistant", "1"), Message("user", "two"))
    assert tokenizer.decode(tokens.encode(talk, False)[0], skip_special_tokens=False) == (
        "<s>[INST]one[/INST]1</s>[INST]two[/INST]"
    )


def test_a_system_message_alone_is_a_question() -> None:
    tokens, tokenizer = tokens_of("gemma")
    ids, _ = tokens.encode((Message("system", "Speak."),), False)
    assert "user\nSpeak.<end_of_turn>" in tokenizer.decode(ids, skip_special_tokens=False)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(data=st.data())
def test_no_text_of_a_user_becomes_a_control_token(name: str, data: st.DataObject) -> None:
    tokens, tokenizer = tokens_of(name)
    names = NAMES[name][1]
    halves = [part for whole in names for part in (whole, whole[:3], whole[3:], whole[:-1])]
    text = "".join(data.draw(st.lists(st.sampled_from([*halves, " ", "fox", "<", "[", "é"]), max_size=12)))
    controls = {tokenizer.token_to_id(each) for each in names}
    clean = [index for index in tokens.encode((Message("user", "fox"),), False)[0] if index in controls]
    ids, _ = tokens.encode((Message("user", text),), False)
    assert [index for index in ids if index in controls] == clean
    # What was written is still read, to the letter.
    assert text in tokenizer.decode(ids, skip_special_tokens=False)


@pytest.mark.parametrize(("name", "stops"), [("chatml", 2), ("gemma", 2), ("gemma_4", 2), ("mistral", 1)])
def test_stop_tokens_are_found_and_silent(name: str, stops: int) -> None:
    tokens, _ = tokens_of(name)
    assert len(tokens.stop_ids) == stops
    assert tokens.stop_ids <= tokens.silent_ids


def test_a_familys_own_marks_around_a_thought_read_as_tags() -> None:
    tokens, tokenizer = tokens_of("gemma_4")
    ids = tokenizer.encode("<|channel>thought\nhm<channel|>fox", add_special_tokens=False).ids
    assert tokens.decode(ids) == "<think>thought\nhm</think>fox"
    assert not set(ids) & tokens.silent_ids


def test_ids_beyond_the_vocabulary_write_nothing() -> None:
    tokens, tokenizer = tokens_of("chatml")
    ids = tokenizer.encode("fox", add_special_tokens=False).ids
    assert tokens.decode([*ids, 99_999]) == "fox"


@pytest.mark.parametrize(
    ("style", "names", "text"),
    [
        (
            chat_format.CHATML_VISION,
            NAMES["chatml"][1] + ("<|vision_end|>", "<|image_pad|>"),
            "<|im_start|>user\n<|vision_start|>[1]<|vision_end|><|vision_start|>[2]<|vision_end|>what?<|im_end|>\n"
            "<|im_start|>assistant\n",
        ),
        (
            # ComfyUI's Gemma 3 files have one of the two marks at least; a name without a token is left out.
            chat_format.GEMMA_VISION,
            NAMES["gemma"][1],
            "<bos><start_of_turn>user\n\n\n<start_of_image>[1]\n\n\n\n<start_of_image>[2]\n\nwhat?<end_of_turn>\n"
            "<start_of_turn>model\n",
        ),
        (
            chat_format.GEMMA_4,
            NAMES["gemma_4"][1] + ("<image|>",),
            "<bos><|turn>user\n\n\n<|image>[1]<image|>\n\n\n\n<|image>[2]<image|>\n\nwhat?<turn|>\n<|turn>model\n",
        ),
    ],
)
def test_pictures_stand_before_the_text_of_their_message(
    style: ChatStyle, names: tuple[str, ...], text: str
) -> None:
    tokens, tokenizer = on(style, tokenizer_of((*names, "<|image>")))
    pictures = (Image("image/jpeg", b"1"), Image("image/jpeg", b"2"))
    ids, _ = tokens.encode((Message("user", "what?", pictures),), False)
    shown = "".join(
        f"[{each.data.decode()}]"
        if isinstance(each, Image)
        else tokenizer.decode([each], skip_special_tokens=False)
        for each in ids
    )
    assert shown == text


def test_a_family_that_only_reads_leaves_pictures_out() -> None:
    tokens, _ = tokens_of("mistral")
    ids, _ = tokens.encode((Message("user", "what?", (Image("image/jpeg", b"1"),)),), False)
    assert all(isinstance(each, int) for each in ids)


def test_the_name_of_a_picture_in_a_text_is_no_picture() -> None:
    style, names = NAMES["gemma_4"]
    tokens, tokenizer = on(style, tokenizer_of(names))
    ids, _ = tokens.encode((Message("user", "draw <|image|>"),), False)
    assert tokenizer.token_to_id("<|image|>") not in ids
