"""The rows of the catalogue, and the facts about a model that need no request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...llm_backends import modes, registry
from .. import providers, ways
from ..model_source import DEFAULT_REPOSITORY
from ..providers.table import Provider
from . import local_models
from .labels import human_label
from .listing_formats import Listed
from .model_facts import known_of, models_of

_FREE = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model to choose. `id` is the value for ``llm_model``; None is unknown.

    `transport` carries a call (endpoint, or a mode), `source` listed the model (endpoint, provider,
    local_server, folder, settings, packaged). `price` is in US dollars a million tokens, (in, out).
    `configured` says that it could be called now, `locked` that the plan in force does not allow it, `stale`
    that its source answered longer ago and does not now.
    """

    id: str
    label: str
    provider: str
    provider_label: str
    transport: str
    source: str
    context_window: int | None = None
    vision: bool | None = None
    tools: bool | None = None
    schema: bool | None = None
    price: tuple[float, float] | None = None
    configured: bool = True
    locked: bool = False
    suggested: bool = False
    stale: bool = False

    @property
    def plan_id(self) -> str:
        """The id as plans have it (`types.Deployment.model_id`)."""
        return self.id.rpartition("/")[2] if modes.of(self.transport).in_folders else ways.split(self.id)[1]

    def to_json(self) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        row["price"] = None if self.price is None else {"input": self.price[0], "output": self.price[1]}
        return row


def label_of(model: str) -> str:
    """A model's name for people: the last part of its id, with the maker's where there is one."""
    return model.removeprefix("models/").strip("/")


def of_provider(provider: Provider, listed: Listed, source: str, **more: Any) -> ModelEntry:
    """The entry of a model that `provider` itself lists; facts missing there come from our own table."""
    known = known_of(f"{provider.id}/{listed.id}")
    price = known.get("price")
    return ModelEntry(
        id=f"{provider.id}/{listed.id}",
        label=listed.label or human_label(listed.id) or label_of(listed.id),
        provider=provider.id,
        provider_label=provider.label,
        transport=modes.LITELLM,
        source=source,
        context_window=listed.context_window or known.get("context_window"),
        # Where a provider's pictures do not get through, it does not help that a model of its sees.
        vision=provider.vision is not False and _first(listed.vision, known.get("vision"), provider.vision),
        tools=_first(listed.tools, known.get("tools"), provider.tools),
        schema=_first(listed.schema, known.get("schema"), provider.schema),
        price=listed.price or (tuple(price) if price else _FREE if provider.is_local else None),
        suggested=listed.id in provider.models,
        **more,
    )


def packaged(provider: Provider, configured: bool, *, everything: bool = False) -> Iterator[ModelEntry]:
    """The packaged suggestions for `provider`, and with `everything` all of its models that are known."""
    further = models_of(provider.id) if everything else ()
    for model in dict.fromkeys((*provider.models, *further)):
        yield of_provider(provider, Listed(model), "packaged", configured=configured)


def at_endpoint(listed: Listed, label: str, more: Listed | None) -> ModelEntry:
    """The entry of a model that the endpoint `label` lists, with the further facts of its list."""
    further = more or Listed(listed.id)
    return ModelEntry(
        id=listed.id,
        label=listed.label or label_of(listed.id),
        provider="endpoint",
        provider_label=label,
        transport="endpoint",
        source="endpoint",
        context_window=listed.context_window or further.context_window,
        vision=_first(listed.vision, further.vision),
        tools=_first(listed.tools, further.tools),
        schema=_first(listed.schema, further.schema),
        price=listed.price or further.price,
    )


def in_folders(*, refresh: bool = False) -> list[ModelEntry]:
    """The checkpoints and GGUF files in the host's folders. Reads folders: not for an event loop."""
    return [
        ModelEntry(
            id=model.name,
            label=label_of(model.name),
            provider=modes.of(model.mode).group,
            provider_label=modes.of(model.mode).group_label,
            transport=model.mode,
            source="folder",
            vision=model.vision,
            price=_FREE,
            configured=registry.is_known(model.mode),
        )
        for model in local_models.models(refresh=refresh)
    ]


def built_in() -> Iterator[ModelEntry]:
    """The entries that need no server: a download for this machine, and modes offered as a choice."""
    download = modes.of(modes.HF_DOWNLOAD)
    if registry.is_known(download.name):
        yield ModelEntry(
            id=DEFAULT_REPOSITORY,
            label=label_of(DEFAULT_REPOSITORY),
            provider=download.group,
            provider_label=download.group_label,
            transport=download.name,
            source="packaged",
            tools=False,
            vision=False,
            schema=True,
            price=_FREE,
            configured=False,
            suggested=True,
        )
    for mode in registry.rows():
        if mode.is_choice:
            yield ModelEntry(
                id=mode.name,
                label=mode.label if mode.answers_messages else f"{mode.label} (no model)",
                provider=mode.group,
                provider_label=mode.group_label,
                transport=mode.name,
                source="packaged",
                vision=mode.sees,
                tools=None if mode.answers_messages else False,
                price=_FREE if mode.free else None,
            )


def from_settings(model: str, endpoint: str = "") -> ModelEntry | None:
    """The entry of a model that the settings name, at `endpoint` (its label), if any.
    None where its provider is unclear."""
    way, model = ways.split(model)
    if endpoint and way != ways.DIRECT:
        return replace(at_endpoint(Listed(model), endpoint, None), source="settings", suggested=True)
    found = providers.split(model)
    if found is None:
        return None
    return replace(of_provider(found[0], Listed(found[1]), "settings"), suggested=True)


def _first(*answers: bool | None) -> bool | None:
    return next((answer for answer in answers if answer is not None), None)
