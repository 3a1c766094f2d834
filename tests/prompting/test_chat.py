"""Chat over the wire: what the model reads of a conversation, and what the next question inherits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from endpoints import endpoint
from wire.answers import Answer

from quillwork.llm_backends.errors import CannotSee, ContextOverflow, NotConfigured
from quillwork.llm_backends.model import Model, Sampling
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.tools.registry import RegisteredTool
from quillwork.llm_backends.types import Capabilities, Image
from quillwork.prompting.chat import Question, chat
from quillwork.prompting.history import EMPTY, History, Turn

PICTURE = Image("image/jpeg", b"\xff\xd8\xff")
ECHO = RegisteredTool(
    "fox.echo",
    "Says it again.",
    {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    lambda text: text,
)


def ask(wire, prompt="and now?", model="fox", window=None, sampling=None, history=EMPTY, **more):
    tools = more.pop("tools", ())
    deployed = endpoint(wire.url, model, capabilities=Capabilities(context_window=window))
    question = Question(prompt, **more)
    return runner.run(chat(question, Model(deployed, sampling or Sampling()), history=history, tools=tools))


def said(*pairs):
    return History(tuple(Turn(prompt, answer) for prompt, answer in pairs))


def sent(wire, number=-1):
    return [(part["role"], part["content"]) for part in wire.calls()[number].json["messages"]]


def test_the_token_that_ends_an_answer_is_no_part_of_it(wire):
    wire.script("fox", "ChatML ends a turn with <|im_end|>, Llama with another.<|im_end|>\n")
    assert ask(wire).text == "ChatML ends a turn with <|im_end|>, Llama with another."


def test_an_answer_and_what_it_cost(wire):
    wire.script("fox", "  a red fox\n")
    reply = ask(wire, "name an animal", system="Be brief.", seed=2**40)
    assert reply.text == "a red fox"
    assert sent(wire) == [("system", "Be brief."), ("user", "name an animal")]
    assert wire.calls()[0].json["seed"] == 2**40 % 2**31
    assert reply.history == said(("name an animal", "a red fox"))
    seconds = reply.info.pop("seconds")
    assert seconds > 0
    assert reply.info == {
        "mode": "litellm",
        "model": "fox",
        "provider": "endpoint",
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "cost_usd": None,
        "finish_reason": "stop",
        "attempts": 1,
        "warnings": [],
        "tool_calls": [],
    }


def test_what_was_said_goes_before(wire):
    first = ask(wire, "name an animal")
    second = ask(wire, "another", history=first.history, system="Be brief.")
    assert sent(wire) == [
        ("system", "Be brief."),
        ("user", "name an animal"),
        ("assistant", "a red fox in fresh snow"),
        ("user", "another"),
    ]
    assert len(first.history) == 1, "a history that somebody else holds does not grow"
    assert len(second.history) == 2


def test_a_blank_system_is_none(wire):
    ask(wire, system=" \n")
    assert [role for role, _ in sent(wire)] == ["user"]


def test_thinking_never_gets_into_the_text_or_the_history(wire):
    for model in ("fox-think", "fox-thinktag"):
        reply = ask(wire, model=model)
        assert reply.text == "a red fox in fresh snow" == reply.history.turns[0].answer


def test_pictures_stay_with_their_exchange(wire):
    first = ask(wire, "what is it?", images=(PICTURE, PICTURE))
    ask(wire, "and its colour?", history=first.history)
    content = sent(wire)[0][1]
    assert [part["type"] for part in content] == ["text", "image_url", "image_url"]
    assert first.history.turns[0].images == (PICTURE, PICTURE)


def test_a_model_that_cannot_see_is_not_asked(wire):
    blind = replace(endpoint(wire.url), capabilities=Capabilities(vision=False))
    with pytest.raises(CannotSee):
        runner.run(chat(Question("what is it?", images=(PICTURE,)), Model(blind)))
    assert not wire.calls()


def test_a_model_that_cannot_see_is_told_the_words_of_another_ones_chat(wire):
    seen = History((Turn("what is it?", "a fox", (PICTURE,)), Turn("", "another fox", (PICTURE,))))
    blind = replace(endpoint(wire.url), capabilities=Capabilities(vision=False))
    reply = runner.run(chat(Question("and its colour?"), Model(blind), history=seen))
    assert [text for _, text in sent(wire)] == [
        "what is it?",
        "a fox",
        "[a picture]",
        "another fox",
        "and its colour?",
    ]
    assert "without their images" in reply.info["warnings"][0]
    assert reply.history.turns[0].images == (PICTURE,), "a later model may see them"
    with pytest.raises(CannotSee):
        ask(wire, model="fox-blind", history=seen)
    assert len(wire.calls()) == 3, "once with the pictures, once without"


def test_an_empty_prompt_asks_nobody(wire):
    with pytest.raises(NotConfigured, match="empty"):
        ask(wire, " \n")
    assert not wire.calls()
    assert ask(wire, "", images=(PICTURE,)).text, "a picture alone says something"


def test_the_phrasebook_does_not_chat(wire):
    model = Model(replace(endpoint(wire.url), backend="phrasebook"))
    with pytest.raises(NotConfigured) as caught:
        runner.run(chat(Question("hello"), model))
    assert "needs a language model" in caught.value.message
    assert "LLM_MODEL_CHAT" in caught.value.hint


LONG = "word " * 400  # about 500 tokens


def test_the_oldest_exchanges_are_left_out_whole(wire):
    history = said(*((f"{number} {LONG}", f"{number} {LONG}") for number in range(8)))
    reply = ask(wire, history=history, window=4096, system="Be brief.")
    roles = [role for role, _ in sent(wire)]
    assert roles == ["system", *["user", "assistant"] * 3, "user"]
    assert sent(wire)[1][1].startswith("5 ")
    assert reply.info["warnings"] == [
        "The conversation is longer than the model's context: the oldest 5 of 8 exchanges were left out."
    ]
    assert len(reply.history) == 9, "what was left out now may be read by another model"


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, 3),
        ({"sampling": Sampling(max_tokens=50)}, 4),
        ({"prompt": LONG * 2}, 2),
        ({"system": LONG * 2}, 2),
        ({"tools": (replace(ECHO, description=LONG * 2),)}, 2),
        ({"window": 100_000}, 8),
        ({"window": 10}, 0),
    ],
)
def test_all_that_is_read_counts(wire, changes, kept):
    history = said(*((LONG, LONG) for _ in range(8)))
    ask(wire, **{"window": 4096, "history": history, **changes})
    assert [role for role, _ in sent(wire)].count("assistant") == kept


def test_where_nobody_knows_the_window_the_model_says_it(wire):
    history = said(*((f"q{number}", f"a{number}") for number in range(9)))
    # ctx: the provider's own error for a prompt that is too long.
    with pytest.raises(ContextOverflow):
        ask(wire, model="fox-ctx", history=history)
    lengths = [len(call.json["messages"]) for call in wire.calls()]
    assert lengths == [19, 9, 5, 3, 1], "half of the exchanges each time, the latest ones"
    assert sent(wire, 2) == [
        ("user", "q7"),
        ("assistant", "a7"),
        ("user", "q8"),
        ("assistant", "a8"),
        ("user", "and now?"),
    ]


def test_it_is_asked_again_until_it_can_read_it(wire):
    reply = ask(wire, model="fox-fail413x2", history=said(*(("q", "a") for _ in range(9))))
    assert reply.text == "a red fox in fresh snow"
    assert "the oldest 7 of 9 exchanges were left out" in reply.info["warnings"][0]


def test_tools_are_used_and_told(wire):
    call = Answer(calls=[("a", "fox-echo", '{"text": "hu"}'), ("b", "nope", "{}")], finish="tool_calls")
    wire.script("fox", [call, "it said hu"])
    reply = ask(wire, tools=(ECHO,))
    assert reply.text == "it said hu"
    assert reply.info["tool_calls"] == [
        {"name": "fox.echo", "failed": False},
        {"name": "nope", "failed": True},
    ]
    assert reply.info["prompt_tokens"] == 22
    assert reply.history == said(("and now?", "it said hu"))


def test_a_cut_answer_is_told(wire):
    assert ask(wire, model="fox-length").info["warnings"] == [
        "The answer was cut off at max_tokens. Raise it on LLM Settings."
    ]


def test_an_answer_of_a_fallback_is_a_substitute(wire):
    deployed = endpoint(wire.url, "fox-status500", fallbacks=(endpoint(wire.url, "vixen"),))
    reply = runner.run(chat(Question("hello"), Model(deployed)))
    assert reply.is_substitute
    assert reply.info["model"] == "vixen"


def test_a_history_does_not_show_what_was_said():
    assert "secret" not in repr(said(("secret", "secret")))


def test_a_history_says_what_it_holds():
    history = said(("a", "b"), ("c", "d"))
    assert len(history) == 2
    assert [message.content for message in history.messages()] == ["a", "b", "c", "d"]
    assert history.latest(1) == said(("c", "d"))
    assert history.latest(0) == EMPTY
    assert history.latest(5) == history
    assert json.dumps([message.role for message in history.messages()])
