"""Calls to the compatible address of a provider, at which it speaks OpenAI's format, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from ...types import Capabilities, Deployment, Request
from ..litellm_sdk.parameters import reasoning_parameters
from ..refusals import PARTS

# The parameter of a deployment that holds such an address.
PARAMETER = "compatible"
_TOOLS = "tools"
_SCHEMA = "response_format"


@dataclass(frozen=True, slots=True)
class CompatibleAddress:
    """`base` is the address, in which ``{model}`` stands for the model, and `query` goes behind a route.
    `key_header` carries the key where that is no bearer. `lacks` are the parts of a request that are not
    taken there, by the names of `refusals.PARTS`, and ``tools``. `dialect` is that of `direct.Dialect`."""

    base: str
    query: str = ""
    key_header: str = ""
    lacks: tuple[str, ...] = ()
    dialect: Mapping[str, Any] = field(default_factory=dict)

    def place(self, deployment: Deployment) -> Deployment:
        """`deployment`, to be called at this address."""
        base = self.base.replace("{model}", quote(deployment.model, safe=""))
        return replace(deployment, base_url=base, params={**deployment.params, "dialect": self.dialect})

    @property
    def parts_lacking(self) -> frozenset[str]:
        """The parts of a request that are left out there, and said to be; those of `dialect` are not."""
        return frozenset(self.lacks) & PARTS.keys() - {*self.dialect.get("without", ())}


def compatible_address(deployment: Deployment) -> CompatibleAddress | None:
    """The compatible address of `deployment`; None where it has none, or speaks OpenAI's format anyhow."""
    given = deployment.params.get(PARAMETER)
    return CompatibleAddress(**{**given, "lacks": tuple(given["lacks"])}) if given else None


def able_directly(capabilities: Capabilities, params: Mapping[str, Any]) -> Capabilities:
    """The capabilities of a model that is called at its compatible address, if it has one."""
    lacks = params.get(PARAMETER, {}).get("lacks", ())
    return replace(capabilities, schema=False) if _SCHEMA in lacks else capabilities


def carries(request: Request, deployment: Deployment) -> bool:
    """Tell whether `request` can be sent without litellm at all: without its tools it would be another."""
    there = compatible_address(deployment)
    return there is None or not (_TOOLS in there.lacks and _uses_tools(request))


def loses_nothing(request: Request, deployment: Deployment) -> bool:
    """Tell whether `request` is answered without litellm as with it. At a compatible address that is said of
    plain chat only."""
    there = compatible_address(deployment)
    if there is None:
        return True
    is_plain = not (
        request.embed
        or request.schema
        or request.extra
        or request.reasoning != "default"
        or _uses_tools(request)
        or any(message.images for message in request.messages)
    )
    asked = {"seed": request.seed, "temperature": request.temperature, "top_p": request.top_p}
    return is_plain and all(asked[part] is None for part in asked if part in there.lacks)


def without_idle_reasoning(request: Request, deployment: Deployment) -> Request:
    """`request` without a level of reasoning that the provider is told nothing of."""
    prefix = str(deployment.params.get("custom_llm_provider", deployment.provider))
    is_said = reasoning_parameters(prefix, deployment.model, request.reasoning)
    return request if is_said else replace(request, reasoning="default")


def _uses_tools(request: Request) -> bool:
    return bool(request.tools) or any(m.tool_calls or m.tool_call_id for m in request.messages)
