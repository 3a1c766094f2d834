"""Our requests beside those of the real litellm: for every provider of OpenAI's format, the same questions.

Both go to the imitation server. What differs there stands in `DIFFERENCES` with its reason, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import pytest
from host.process import REPOSITORY
from wire.answers import Raw
from wire.moved import OWN_MODELS, own_key, path_of
from wire.server import Logged

from quillwork.config import providers
from quillwork.config.models import capabilities
from quillwork.llm_backends.errors import LLMError
from quillwork.llm_backends.remote.http_client import client
from quillwork.llm_backends.remote.litellm_sdk.backend import LiteLLMSDK
from quillwork.llm_backends.remote.provider.direct import Direct
from quillwork.llm_backends.remote.repairs import Refusal
from quillwork.llm_backends.types import Deployment, Image, Message, Request, Secret, Tool, ToolCall

pytest.importorskip("litellm", reason="litellm is not installed here")
PINNED = re.search(r"(?m)^litellm==(\S+)", (REPOSITORY / "tests" / "requirements.txt").read_text("utf-8"))
OLDEST, NEWEST = "1.83.0", "1.110.2"
RELEASE = version("litellm")
if RELEASE not in (PINNED and PINNED[1], OLDEST, NEWEST):
    pytest.skip(f"nobody has looked at what litellm {RELEASE} does differently", allow_module_level=True)

ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """A field of the body that may differ, or ``refused``: a call that litellm does not make at all.

    `rows` are the providers, empty for all; `theirs` is litellm's value, None for any; `release` is the one
    release that does so, empty for all.
    """

    field: str
    reason: str
    rows: str = ""
    theirs: Any = None
    release: str = ""

    def covers(self, row: str, field: str, theirs: Any) -> bool:
        is_here = not self.rows or row in self.rows.split()
        return (
            self.field == field
            and is_here
            and self.theirs in (None, theirs)
            and self.release in ("", RELEASE)
        )


DIFFERENCES = (
    Difference(
        "response_format",
        "litellm's list says which models take a schema; without the list all are asked, and one that "
        "refuses is asked again without it",
        theirs=ABSENT,
    ),
    Difference(
        "reasoning_effort",
        "litellm leaves it out for models that its list does not call thinking; here the provider "
        "decides, and one that refuses is asked again without it",
        theirs=ABSENT,
    ),
    Difference(
        "reasoning_effort",
        "litellm makes high of every level, which is all that Mistral has; its refusal names its levels, "
        "and the nearest is taken",
        rows="mistral",
        theirs="high",
    ),
    Difference(
        "tools",
        "litellm leaves them out, and says nothing, for models that its list does not know to take any",
        theirs=ABSENT,
    ),
    Difference(
        "tool_choice",
        "it goes with tools; for some providers litellm has no word for a tool by its name",
        theirs=ABSENT,
    ),
    Difference(
        "refused",
        "litellm makes one text of a message and drops its pictures, though newer models there see",
        rows="deepseek sambanova publicai docker_model_runner heroku",
    ),
    Difference(
        "stream",
        "litellm asks Groq for a schema in one piece; ours streams, and is repeated in one piece where "
        "that is refused",
        rows="groq",
        theirs=ABSENT,
    ),
    Difference(
        "messages",
        "litellm makes a user's text of the instruction for o1 to o3; OpenAI takes it as a developer's now",
        rows="openai",
    ),
    *(
        Difference(field, "its list of what the provider takes is an older one", rows=rows, release=OLDEST)
        for field, rows in (
            ("seed", "fireworks_ai inception nadir sail"),
            ("stream_options", "fireworks_ai nadir"),
            ("top_p", "inception"),
        )
    ),
    Difference("headers", "it sends the key under both of the names that there are", "azure", release=OLDEST),
    Difference("refused", "its code breaks on a level of reasoning", rows="databricks", release=OLDEST),
    Difference("reasoning_effort", "it sends the level beside `thinking`", rows="deepseek", release=NEWEST),
    *(
        Difference(field, "its list of what the provider takes is a longer one", rows="morph", release=NEWEST)
        for field in ("max_tokens", "temperature", "top_p", "seed", "stream_options")
    ),
    *(
        Difference(field, "it takes the newer name for the limit", rows="streamlake", release=NEWEST)
        for field in ("max_tokens", "max_completion_tokens")
    ),
)
# Of its own name, where a provider counts whose users call it.
THEIR_HEADERS = {"http-referer", "x-title", "x-pplx-integration", "x-novita-source"}
# What a client says of itself and of its connection.
OF_THE_CLIENT = {"host", "content-length", "accept", "accept-encoding", "user-agent", "connection"}

PICTURE = Image("image/png", b"\x89PNG" + bytes(range(64)))
SCHEMA = {"type": "object", "properties": {"values": {"type": "array", "items": {"type": "string"}}}}
TOOL = Tool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})
ASKED = (Message("system", "be brief"), Message("user", "a fox"))
CALLED = Message("assistant", "", tool_calls=(ToolCall("call_1", "look", '{"at": "it"}'),))
QUESTIONS = {
    "chat": Request(
        ASKED, temperature=0.5, top_p=0.9, seed=7, max_tokens=50, schema=SCHEMA, schema_name="values"
    ),
    "tools": Request(
        (*ASKED, CALLED, Message("tool", "seen", tool_call_id="call_1")), tools=(TOOL,), tool_choice="look"
    ),
    "picture": Request((Message("user", "what is it", images=(PICTURE,)),)),
    **{f"reasoning {level}": Request(ASKED, reasoning=level) for level in ("off", "low", "medium", "high")},
}
# These go the same way as high does, save for models that litellm knows.
OF_THE_KNOWN = {"reasoning low", "reasoning medium"}
# Models by which litellm departs from what it does for any other.
KNOWN = {
    "openai": ("gpt-4.1", "gpt-5-mini", "gpt-5.4-mini", "o3"),
    "groq": ("openai/gpt-oss-20b",),
    "deepseek": ("deepseek-chat",),
    "mistral": ("mistral-small-latest",),
    "openrouter": ("anthropic/claude-haiku-4.5",),
    "xai": ("grok-4",),
}
# litellm speaks OpenAI's format with these, too, at an address that it makes of theirs.
LIKEWISE = {"azure", "databricks", "heroku"}
ROWS = [row for row in providers.every() if row.wire == "openai" or row.id in LIKEWISE]
CASES = [(row.id, model) for row in ROWS for model in (OWN_MODELS.get(row.id, "fox"), *KNOWN.get(row.id, ()))]
# The shortest stream: what litellm makes of an answer is not the matter here.
STREAM = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "ok"}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.fixture(scope="module")
def sdk():
    loop, sdk = asyncio.new_event_loop(), LiteLLMSDK()
    yield loop, sdk, Direct()
    loop.run_until_complete(sdk.close())
    loop.run_until_complete(client.close())
    loop.close()


def deployment(url: str, id: str, model: str) -> Deployment:
    row = providers.get(id)
    variables = {
        row.key_variables[0]: own_key(row),
        row.base_variables[0]: url + path_of(row),
        **{names[0]: row.defaults.get(name, "planted") for name, names in row.place_variables.items()},
    }
    access = providers.preflight(row, variables)
    return Deployment(
        backend="litellm",
        model=model,
        provider=id,
        provider_label=row.label,
        base_url=access.base_url,
        api_key=Secret("planted-token") if row.exchange else access.api_key,
        params=access.params,
        capabilities=replace(capabilities.of_provider(row, model), vision=None),
    )


async def send(backend: Any, request: Request, deployed: Deployment) -> None:
    with contextlib.suppress(LLMError, Refusal):
        async for _ in backend.stream(request, deployed):
            pass


@pytest.mark.parametrize(("id", "model"), CASES, ids=lambda value: value.replace("/", "-"))
def test_litellm_and_we_send_the_same(wire, sdk, id, model):
    loop, theirs, ours = sdk
    _seen.add((id, model))
    deployed = deployment(wire.url, id, model)
    wire.script("*", Raw(STREAM))
    for question, request in QUESTIONS.items():
        if question in OF_THE_KNOWN and model not in KNOWN.get(id, ()):
            continue
        wire.log.clear()
        loop.run_until_complete(send(theirs, request, deployed))
        sent = list(wire.log)
        wire.log.clear()
        loop.run_until_complete(send(ours, request, deployed))
        (mine,) = wire.log
        assert len(sent) <= 1, [entry.json for entry in sent]
        unexplained = differing(sent[0] if sent else None, mine, id)
        assert unexplained == [], f"{question}: {sent and sent[0].json} and {mine.json}"


def differing(theirs: Logged | None, ours: Logged, row: str) -> list[tuple[str, Any, Any]]:
    """What differs between the two requests and no entry explains: (field, litellm's, ours)."""
    if theirs is None:
        return [] if explained(row, "refused", None) else [("refused", None, ours.json)]
    pairs = [
        ("path", theirs.path, ours.path),
        ("query", theirs.query, ours.query),
        ("headers", headers(theirs), headers(ours)),
        *(
            (name, theirs.json.get(name, ABSENT), ours.json.get(name, ABSENT))
            for name in sorted({*theirs.json, *ours.json})
        ),
    ]
    return [pair for pair in pairs if pair[1] != pair[2] and not explained(row, pair[0], pair[1])]


_used: set[Difference] = set()
_seen: set[tuple[str, str]] = set()


def explained(row: str, field: str, theirs: Any) -> bool:
    found = [entry for entry in DIFFERENCES if entry.covers(row, field, theirs)]
    _used.update(found)
    return bool(found)


def headers(request: Logged) -> dict[str, str]:
    left_out = OF_THE_CLIENT | THEIR_HEADERS
    return {
        name: value
        for name, value in request.headers.items()
        if name not in left_out and not name.startswith("x-stainless-")
    }


def test_every_difference_in_the_table_is_one():
    if len(_seen) < len(CASES):
        pytest.skip("only after all rows")
    release = "" if PINNED and PINNED[1] == RELEASE else RELEASE
    assert [entry for entry in DIFFERENCES if entry.release == release and entry not in _used] == []
