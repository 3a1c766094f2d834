"""Deployments out of choices: all that a call needs, in one frozen piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from ..llm_backends import modes
from ..llm_backends.errors import NotConfigured
from ..llm_backends.remote.addresses import is_host
from ..llm_backends.remote.provider.compatible import PARAMETER, able_directly
from ..llm_backends.system.loopback import leads_to_loopback
from ..llm_backends.types import DIRECT_TRANSPORT, Capabilities, Deployment, Secret
from . import budgets, downloads, loading, model_source, providers, ways
from .access import consent, plans
from .access.session_keys import ENDPOINT, endpoint_id, session_keys
from .choice import Choice
from .models import capabilities, prices, vision
from .settings.values import Settings, Value, load, warn_once

_CONCURRENCY = 16
_CONCURRENCY_DESKTOP = 4
# Ollama and LM Studio answer on these; both fall over when asked much at once.
_DESKTOP_PORTS = {11434, 1234}
_TOTAL_FACTOR = 10


def deploy(choice: Choice, settings: Settings | None = None) -> Deployment:
    """Make the deployment for `choice` under `settings` (those in force by default).

    Sends nothing. Raises `NotConfigured`, `MissingKey` or `ConsentNeeded`.
    """
    settings = settings or load()
    deployment = _one(choice, settings)
    fallbacks = tuple(_fallback(model, choice, deployment, settings) for model in choice.fallback_models)
    return replace(deployment, fallbacks=fallbacks)


def _fallback(model: str, choice: Choice, first: Deployment, settings: Settings) -> Deployment:
    other = _one(replace(choice, llm_model=model, llm_mode=modes.AUTO), settings)
    if first.is_local and not other.is_local:
        raise NotConfigured(
            f"The fallback {model} is a service on the internet, but {first.name} runs on this machine.",
            hint="Texts for a local model are never sent out. Choose a local fallback.",
        )
    if modes.of(other.mode).in_process:
        # It would compute on the thread of the remote calls, where no host minds its memory.
        raise NotConfigured(
            f"The fallback {model} runs inside this process and cannot be used as a fallback.",
            hint="Choose a model that a server runs, such as ollama/llama3.2.",
        )
    return other


def _one(choice: Choice, settings: Settings) -> Deployment:
    source = model_source.find(choice, settings)
    if source.mode == modes.LITELLM:
        endpoint = None if source.way == ways.DIRECT else settings.endpoint()
        deployment = (
            _at_endpoint(source.model, *endpoint, settings.replicas())
            if endpoint is not None
            else _at_provider(source.model, settings, ask_consent=source.from_workflow)
        )
    else:
        mode = modes.of(source.mode)
        projector = settings.text("LLM_MMPROJ") if source.mode == modes.GGUF else ""
        deployment = Deployment(
            backend=source.mode,
            model=source.model,
            mode=source.mode,
            provider=source.mode,
            provider_label=mode.label,
            params={
                **({"file": source.file} if source.file else {}),
                **({"projector": projector} if projector else {}),
                **({"guess": source.guess} if source.guess else {}),
                **downloads.parameters(mode, choice, settings),
                **loading.parameters(mode, choice, settings),
            },
            capabilities=Capabilities(vision=vision.of_local(source.mode, source.model)),
            retries=0,
            is_local=True,
            price=prices.FREE if mode.free else None,
        )
    return _with_limits(replace(deployment, mode=source.mode), choice, settings)


def _at_endpoint(model: str, address: Value, key: Secret | None, replicas: Sequence[str]) -> Deployment:
    url, host, port = _checked(address)
    others = tuple(_checked(replace(address, text=replica))[0] for replica in replicas)
    local = all(map(leads_to_loopback, (url, *others)))
    return Deployment(
        backend=modes.ENDPOINT,
        model=model,
        provider=ENDPOINT,
        provider_label=host + (f":{port}" if port else ""),
        base_url=url,
        replicas=others,
        api_key=session_keys.get(endpoint_id(url)) or key,
        key_variable="LLM_API_KEY",
        max_concurrency=_CONCURRENCY_DESKTOP if port in _DESKTOP_PORTS else _CONCURRENCY,
        retries=0 if local else 2,
        is_local=local,
        price=prices.of_listed(ENDPOINT, model),
        capabilities=capabilities.at_endpoint(model),
    )


def _checked(address: Value) -> tuple[str, str, int | None]:
    """Return URL, host and port of an endpoint's address."""
    url = address.text if "://" in address.text else f"http://{address.text}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or not is_host(host) or parts.username:
        raise NotConfigured(
            f"{address.name} (from {address.origin}) is not a valid address.",
            hint="Use an address such as http://127.0.0.1:4000/v1. The key goes into LLM_API_KEY.",
        )
    return url, host, port


def _at_provider(model_id: str, settings: Settings, *, ask_consent: bool) -> Deployment:
    provider, model = providers.check_model_id(model_id)
    if ask_consent and not provider.is_local and not _chosen_here(provider.id, settings):
        consent.require(provider.id, provider.label, settings)
    access = providers.preflight(provider, settings.environment(), session_keys.get(provider.id))
    params = dict(access.params)
    for remark in providers.remarks(provider, settings.environment(), session_keys.get(provider.id)):
        warn_once(remark)
        params["key_remark"] = remark
    if exchange := access.params.get("token_exchange"):
        consent.require_exchange(
            provider.id, provider.label, exchange, access.key_variable or "the environment", settings
        )
    if not provider.speaks_openai(model):
        params.pop(PARAMETER, None)
    transport = ways.transport(provider, settings, is_compatible=PARAMETER in params)
    able = capabilities.of_provider(provider, model)
    return Deployment(
        backend=modes.LITELLM,
        model=model if "/" in model else f"{provider.model_prefix}{model}",
        provider=provider.id,
        provider_label=provider.label,
        base_url=access.base_url,
        api_key=access.api_key,
        key_variable=access.key_variable,
        params=params,
        capabilities=able_directly(able, params) if transport == DIRECT_TRANSPORT else able,
        transport=transport,
        max_concurrency=provider.max_concurrency,
        retries=provider.retries,
        is_local=access.is_local,
        price=prices.FREE if access.is_local else prices.of_provider(provider, model),
    )


def _chosen_here(provider: str, settings: Settings) -> bool:
    """Tell whether this machine's own settings name a model of that provider already."""
    for name in ("LLM_MODEL", "LLM_MODEL_PROMPT_GEN", "LLM_MODEL_CHAT"):
        way, model = ways.split(settings.text(name))
        if way == ENDPOINT or (not way and settings.endpoint() is not None):
            continue  # it is called at the endpoint, which says nothing about the provider
        found = None if not way and providers.is_on_hub(model) else providers.split(model)
        if found is not None and found[0].id == provider:
            return True
    return False


def _with_limits(deployment: Deployment, choice: Choice, settings: Settings) -> Deployment:
    idle_s = choice.timeout_s or (settings.number("LLM_TIMEOUT_MS") or 60_000) / 1000
    cache = settings.text("LLM_CACHE").lower()
    if cache not in ("off", "disk"):
        raise NotConfigured(f"LLM_CACHE is {cache!r}.", hint="Set it to off or disk.")
    cacheable = cache == "disk" and modes.of(deployment.backend).answers_messages
    file: Path | None = settings.folder / "answers.sqlite" if cacheable else None
    return replace(
        deployment,
        idle_timeout_s=idle_s,
        total_timeout_s=idle_s * _TOTAL_FACTOR,
        max_concurrency=settings.number("LLM_MAX_CONCURRENCY") or deployment.max_concurrency,
        retries=deployment.retries if choice.retries < 0 else choice.retries,
        cache_file=file,
        plan=plans.in_force(settings),
        budget=budgets.budget(settings),
        usage_file=budgets.usage_file(settings),
        observers=budgets.observers(settings),
        seeing=partial(vision.models_that_see, settings),
    )
