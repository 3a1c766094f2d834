"""The backend of the mode ``host_encoder``: the image workflow's own text encoder writes.

The host has loaded the encoder for its pictures and manages its memory. A host in which one may be wired to a
node has a method ``encoder()`` that returns it, None where there is none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from ... import errors
from ...host import Host
from ...streaming.live import Sink
from ...types import Deployment, Message, Request, Result
from ..answer_writer import Writing, budget_of, refuse_what_it_cannot, seed_of
from ..token_text import TextStream
from ..tool_call_text import offered
from ..transformers_local.sampling import SamplingSettings, unknown_parameters
from .chat_format import Token

_THOSE_THAT_SEE = (
    "Qwen3-VL (Krea 2, Boogu), Qwen3.5, Gemma 3 with its vision part and Gemma 4 (LTX-2) do: connect one of "
    "them to `clip`, choose a vision model in another mode, or remove the image."
)
_NEEDS_CLIP = (
    ("The mode host_encoder uses the text encoder of an image workflow, and none is connected here."),
    "In ComfyUI, connect a CLIP loader to `clip` on the node or on LLM Settings. Elsewhere, "
    "choose another mode, such as hf_download or litellm.",
)


class _Enough(errors.Cancelled):
    """The end of an answer that the encoder would go on with."""


class GeneratingEncoder(Protocol):
    """A text encoder of the host's that can generate text. All of it belongs to the execution thread.

    `name` is the encoder's family, such as ``Qwen3 4B``; `context` the longest sequence in tokens;
    `stop_ids` end an answer; `silent_ids` write nothing; `sees` says that it takes pictures.
    """

    name: str
    context: int
    stop_ids: frozenset[int]
    silent_ids: frozenset[int]
    sees: bool

    def encode(self, messages: Sequence[Message], thinks: bool) -> tuple[list[Token], bool]:
        """Encode `messages` into the tokens that ask for the next message, with their pictures among them.

        No text of a message becomes a control token.
        The second value tells whether the last ids open a thought. Raises `errors.LLMError` for a picture
        that cannot be read.
        """
        ...

    def count(self, tokens: Sequence[Token]) -> int:
        """The length of `tokens` in the model, where a picture takes the room of many."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Decode tokens into text, with thinking in ``<think>`` tags."""
        ...

    def generate(
        self,
        ids: Sequence[Token],
        settings: SamplingSettings,
        seed: int,
        budget: int,
        on_token: Callable[[int], None],
        check: Callable[[], None],
    ) -> None:
        """Generate from `ids` to one of `stop_ids` or for `budget` tokens.

        Each token is handed to `on_token` as soon as the host reports it, at the end at the latest; `check`
        is called before the first one comes, again and again. What these two raise ends the work and comes
        out, as does the host's own interrupt. Raises `errors.LLMError` where the encoder fails.
        """
        ...


class HostEncoder:
    """A backend on the host's encoder; see `types.LocalBackend`. It holds no memory of its own."""

    runs_in_place: Literal[True] = True

    def answer_all(
        self, requests: Sequence[Request], deployment: Deployment, sinks: Sequence[Sink], host: Host
    ) -> list[Result | errors.LLMError]:
        """Answer the requests in turn, as in `types.LocalBackend`: the encoders write one row at a time."""
        try:
            wired = getattr(host, "encoder", None)
            encoder: GeneratingEncoder | None = wired() if wired is not None else None
            if encoder is None:
                raise errors.NotConfigured(_NEEDS_CLIP[0], hint=_NEEDS_CLIP[1])
        except errors.LLMError as error:
            return [error] * len(requests)
        return [
            _answer(request, encoder, deployment, sink, host)
            for request, sink in zip(requests, sinks, strict=True)
        ]

    def unload(self) -> list[str]:
        """Unload nothing: the encoder is the host's, and is unloaded with the host's own models."""
        return []


def _answer(
    request: Request, encoder: GeneratingEncoder, deployment: Deployment, sink: Sink, host: Host
) -> Result | errors.LLMError:
    who = f"The text encoder {encoder.name}"
    try:
        refuse_what_it_cannot(request, who, sees=encoder.sees, those_that_see=_THOSE_THAT_SEE)
        if offered(request):
            raise errors.BadRequest(
                f"{who} does not support tools.",
                hint="Remove the tools, or choose a model that supports them, such as ollama/qwen3, a "
                "provider's model, or a Qwen3 in a local folder.",
            )
        settings = SamplingSettings.of(request)
        ids, opens_thinking = encoder.encode(request.messages, request.reasoning not in ("default", "off"))
        length = encoder.count(ids)
        budget = budget_of(request.max_tokens, length, encoder.context, f"the text encoder {encoder.name}")
        stream = TextStream(encoder.decode, encoder.silent_ids)
        writing = Writing(request, stream, sink, encoder.stop_ids, opens_thinking=opens_thinking)

        def on_token(token: int) -> None:
            writing.add(token)
            if writing.over and not writing.stopped:
                raise _Enough
            host.tick()
            _go_on(host)

        _go_on(host)
        seed = seed_of(request, 2**63)
        with contextlib.suppress(_Enough):
            encoder.generate(ids, settings, seed, budget, on_token, lambda: _go_on(host))
    except errors.LLMError as error:
        error.model = error.model or encoder.name
        return error
    return writing.result(deployment, who, encoder.name, length, budget, _warnings(request))


def _go_on(host: Host) -> None:
    if host.cancelled():
        raise errors.Cancelled


def _warnings(request: Request) -> list[str]:
    unknown = unknown_parameters(request.extra)
    return [f"Text encoders do not support {', '.join(unknown)} in `extra`."] if unknown else []
