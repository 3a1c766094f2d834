"""The types that every backend shares: requests, deployments and results."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from . import modes

if TYPE_CHECKING:
    from .errors import LLMError
    from .host import Host
    from .streaming.live import Sink

Role = Literal["system", "user", "assistant", "tool"]
Reasoning = Literal["default", "off", "low", "medium", "high"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "unknown"]
Vector = tuple[float, ...]
# US dollars for a million tokens, in and out.
Price = tuple[float, float]

# Who carries a call to a provider: litellm, our own client, or litellm as long as it can.
TRANSPORTS = (AUTO_TRANSPORT, SDK_TRANSPORT, DIRECT_TRANSPORT) = ("auto", "sdk", "direct")

REDACTED = "***"


class Secret:
    """A secret that prints as ``***`` wherever it is printed by accident.

    ComfyUI publishes ``str()`` of every input on an error, and web UIs write options to disk, so the
    plain text leaves this object through `reveal` alone.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the one header or SDK argument that needs it."""
        return self._value

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a key cannot be pickled, copied to disk or sent to another process")

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self


@dataclass(frozen=True, slots=True)
class Image:
    """An encoded picture: `data` are the bytes of a file of `media_type` (such as ``image/jpeg``)."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's call of the tool `name`; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a model may call; `parameters` is a JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model.

    `temperature`, `top_p`, `max_tokens` and `seed` are None where the model's own default is wanted. `schema`
    is a JSON schema that the answer should follow; a backend that cannot enforce it asks all the same.
    `answer_tokens` is how many of `max_tokens` a good answer needs at most, its thinking left out; None where
    that cannot be told. `retries_loop` is False for a caller that goes on from an answer that loops.
    `extra` are parameters passed on as they are. `task` names the caller's task, for a backend that writes
    without reading messages; no other backend reads it. `tool_choice` is ``auto``, ``none``,
    ``required``, or the name of the tool that must be called.

    `opening` are the first words of the answer: a backend that can begin it has the model go on from them,
    and returns them with the rest. At one of `stop` it ends. Backends that can do neither leave them.

    With `embed` texts are asked for their vectors instead, and there are no messages.
    """

    messages: tuple[Message, ...]
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    reasoning: Reasoning = "default"
    extra: Mapping[str, Any] = field(default_factory=dict)
    task: Any = None
    embed: tuple[str, ...] = ()
    opening: str = ""
    stop: tuple[str, ...] = ()
    answer_tokens: int | None = None
    retries_loop: bool = True


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The known capabilities of a deployment; None is unknown.

    `context_window` and `most_output` are tokens, `thinks` says that the model thinks unless told not to, and
    `by_responses` that it answers on OpenAI's Responses API only.
    """

    schema: bool | None = None
    vision: bool | None = None
    tools: bool | None = None
    context_window: int | None = None
    most_output: int | None = None
    thinks: bool | None = None
    by_responses: bool | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of models that may be called: `allowed` are globs over model ids, case-sensitive.

    `problem` says what is wrong with a plan that cannot be read and therefore allows nothing.
    """

    name: str
    allowed: tuple[str, ...] = ()
    problem: str = ""

    def allows(self, model_id: str) -> bool:
        return any(fnmatchcase(model_id, glob) for glob in self.allowed)


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of calls in US dollars: since this program started, and since midnight; None is no limit.

    `refuses_unpriced` says that a model of unknown price is not called either.
    """

    session_usd: float | None = None
    day_usd: float | None = None
    refuses_unpriced: bool = True


@dataclass(frozen=True, slots=True)
class Observer:
    """An observer of calls: ``langfuse``, ``helicone``, or a Python path such as ``package.module:callable``.

    `base_url` and the keys are those of a service; `with_content` adds requests and answers.
    """

    name: str
    base_url: str = ""
    key: Secret | None = None
    public_key: str = ""
    with_content: bool = False


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model at one provider or backend, with all that a call needs.

    `backend` is the registry's name of the backend that carries the call; `mode` is the user's word for it.
    `base_url` and `api_key` are explicit for every remote call, also where the provider has a usual address:
    nothing is taken from the environment behind the caller's back. `replicas` are further addresses of
    the same models, which share the calls. `params` are the provider's own arguments
    (an API version, an AWS region); a secret among them is a `Secret`. `key_variable` names the environment
    variable that a user would set, for error messages. `fallbacks` are tried in order when this one is
    unavailable. `seeing` names models of the user's that take pictures, for the error where this one does
    not. `transport` is one of `TRANSPORTS` for a provider's model, else empty. `cache_file` is the file that
    keeps answers, None for no cache. `plan` is asked at every attempt, None where there is none. `price` is
    None where it is unknown; `price_share` is the part of all prices that is paid. `budget` is the limit on
    all calls together, and `usage_file` the file that keeps their cost, None for none. Every call is
    reported to `observers`. Times are seconds.
    """

    backend: str
    model: str
    mode: str = ""
    provider: str = ""
    provider_label: str = ""
    base_url: str | None = None
    api_key: Secret | None = None
    key_variable: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    capabilities: Capabilities = Capabilities()
    idle_timeout_s: float = 60.0
    total_timeout_s: float = 600.0
    max_concurrency: int = 16
    retries: int = 2
    is_local: bool = False
    cache_file: Path | None = None
    fallbacks: tuple[Deployment, ...] = ()
    plan: Plan | None = None
    price: Price | None = None
    budget: Budget | None = None
    usage_file: Path | None = None
    observers: tuple[Observer, ...] = ()
    seeing: Callable[[], Sequence[str]] = field(default=tuple, repr=False, compare=False)
    transport: str = field(default="", compare=False)
    replicas: tuple[str, ...] = ()
    price_share: float = 1.0

    @property
    def model_id(self) -> str:
        """The model as plans and lists name it, aliases resolved; a file or folder by its last part."""
        if self.backend == modes.LITELLM:
            return f"{self.provider}/{self.model}"
        if modes.of(self.mode).in_folders:
            file = self.params.get("file") or self.model
            return str(file).replace("\\", "/").rstrip("/").rpartition("/")[2]
        return self.model or self.backend

    @property
    def model_name(self) -> str:
        """The model as it is shown and saved: of a file or folder no path."""
        return self.model_id if modes.of(self.mode).in_folders else self.model

    @property
    def name(self) -> str:
        """The name of the deployment in messages to a user."""
        label = self.provider_label or self.provider or self.backend
        return f"{label} ({self.model_name})" if self.model else label


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in and out, and the cost in US dollars; None is unknown, not zero."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call: `index` numbers the call; the texts are to be appended."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed answer. Every field may be empty; the last one carries the usage.

    An empty chunk says that the other side is alive. `warning` is a sentence for the user. `vectors` are
    those of `Request.embed`, all at once. Where several answers are written at once, `index` is the number of
    this one's; `restart` says that earlier chunks of that answer do not count.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    model: str | None = None
    warning: str = ""
    vectors: tuple[Vector, ...] = ()
    index: int = 0
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A whole answer. `model` is the one that really answered; `attempts` counts calls, first included.

    `by_fallback` says that it comes from another deployment than the requested one.
    `vectors` are those of `Request.embed`, in its order.
    """

    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    finish_reason: FinishReason = "unknown"
    mode: str = ""
    provider: str = ""
    model: str = ""
    seconds: float = 0.0
    attempts: int = 1
    cached: bool = False
    by_fallback: bool = False
    warnings: tuple[str, ...] = ()
    vectors: tuple[Vector, ...] = ()


class StreamingBackend(Protocol):
    """A backend whose calls live on the runner's event loop.

    `stream` raises only errors of the family in `errors.py` (and lets `asyncio.CancelledError` through
    after closing its connection). It makes exactly one attempt: retries, fallbacks, idle time-outs and
    the limit on concurrent calls are put around it by the caller. One with an ``async prepare(request,
    deployment)`` has it awaited before each call, and before its time runs: there a library is imported.
    """

    def stream(self, request: Request, deployment: Deployment) -> AsyncGenerator[Chunk, None]: ...

    async def close(self) -> None:
        """Close connections and forget clients (and the keys that they hold). May be used again after."""


class LocalBackend(Protocol):
    """A backend that computes here and now, in the thread that the host runs its own work in.

    A host's memory management has no lock, so nothing of this may run on the runner. `answer_all` blocks
    until all is done, feeds the sinks as it writes, calls ``host.tick()`` for every token or so, ends with
    `errors.Cancelled` when ``host.cancelled()`` says so, and gives the error of a failed request in its
    place. `unload` gives all memory back and names what it held.
    """

    runs_in_place: Literal[True]

    def answer_all(
        self, requests: Sequence[Request], deployment: Deployment, sinks: Sequence[Sink], host: Host
    ) -> list[Result | LLMError]: ...

    def unload(self) -> list[str]: ...
