"""The catalogue: all servers are asked at once, none delays the list, dead ones are reported."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import pytest
from wire.lists import list_server

from quillwork.config import providers
from quillwork.config.access.session_keys import SessionKeys
from quillwork.config.diagnostics.trial import check_provider
from quillwork.config.models.catalog import Catalog, Listing
from quillwork.config.models.entries import ModelEntry
from quillwork.config.models.servers import Server
from quillwork.config.settings.home import use_llm_folders
from quillwork.config.settings.values import load
from quillwork.llm_backends.errors import AuthenticationFailed, ConnectionFailed
from quillwork.llm_backends.runner import runner

NOTHING_THERE = "http://127.0.0.1:9"


@pytest.fixture
def lists():
    with list_server() as server:
        yield server


@pytest.fixture
def quiet(env):
    """Keep the tests from looking for local servers that might happen to run."""
    env(OLLAMA_API_BASE=NOTHING_THERE, LM_STUDIO_API_BASE=NOTHING_THERE, HOSTED_VLLM_API_BASE=NOTHING_THERE)
    use_llm_folders(lambda: ())


@pytest.fixture
def providers_at(lists, monkeypatch):
    """Send every provider's calls to the imitation server."""
    table = {
        row.id: dataclasses.replace(row, default_base_url=f"{lists.url}/{row.id}")
        for row in providers.every()
    }
    monkeypatch.setattr(providers, "_table", lambda: table)
    monkeypatch.setattr(providers, "_by_name", lambda: table)
    return table


def listing(catalog: Catalog, **options: bool) -> Listing:
    return runner.run(catalog.listing(load(), **options))


def state(found: Listing, id: str) -> str:
    return next(source.state for source in found.sources if source.id == id)


def ids(found: Listing, **selection: object) -> list[str]:
    return [model.id for model in found.select(**selection)]  # type: ignore[arg-type]


def entry(id: str, provider: str = "fox") -> ModelEntry:
    return ModelEntry(id, id, provider, provider.title(), "litellm", "provider")


class Imitation:
    """Imitation servers that answer as a test says, and count their requests."""

    def __init__(self, *names: str, patience_s: float = 0.4) -> None:
        self.asked: list[str] = []
        self.fault: Exception | None = None
        self.delay_s: dict[str, float] = {}
        self.servers = [Server(name, name.title(), name, self._asker(name), patience_s) for name in names]

    def _asker(self, name: str):
        async def ask():
            self.asked.append(name)
            await asyncio.sleep(self.delay_s.get(name, 0))
            if self.fault is not None:
                raise self.fault
            return [entry(f"{name}/one", name), entry(f"{name}/two", name)]

        return ask

    def catalog(self, **options) -> Catalog:
        return Catalog(lambda settings, keys: self.servers, SessionKeys(), **options)


def test_two_of_six_that_hang_cost_their_own_patience_and_no_more(quiet):
    six = Imitation("a", "b", "c", "d", "e", "f")
    six.delay_s = {"b": 60.0, "e": 60.0}
    catalog = six.catalog()
    started = time.monotonic()
    found = listing(catalog)
    assert time.monotonic() - started < 10, "they wait for one another"
    assert {source.id: source.state for source in found.sources} == {
        "a": "ok",
        "b": "down",
        "c": "ok",
        "d": "ok",
        "e": "down",
        "f": "ok",
    }
    assert sum(model.source == "provider" for model in found.models) == 8
    message = next(source.message for source in found.sources if source.id == "b")
    assert message == "B did not answer within 0.4 s."


def test_answers_are_kept_until_somebody_asks_for_fresh_ones(quiet):
    one = Imitation("fox")
    catalog = one.catalog()
    first, second = listing(catalog), listing(catalog)
    assert one.asked == ["fox"]
    assert first.cached_at == second.cached_at is not None
    listing(catalog, refresh=True)
    assert one.asked == ["fox", "fox"]


def test_old_answers_are_renewed_without_anybody_waiting(quiet):
    one = Imitation("fox", patience_s=60.0)
    catalog = one.catalog(ttl_s=0.0)
    listing(catalog)
    one.delay_s = {"fox": 60.0}
    started = time.monotonic()
    assert "fox/one" in ids(listing(catalog))
    assert time.monotonic() - started < 15
    assert one.asked == ["fox", "fox"]


def test_a_source_that_went_down_is_listed_as_stale(quiet):
    one = Imitation("fox")
    catalog = one.catalog()
    listing(catalog)
    one.fault = ConnectionFailed("No server is responding.")
    found = listing(catalog, refresh=True)
    assert state(found, "fox") == "stale"
    assert found.stale
    stale = [model for model in found.models if model.id.startswith("fox/")]
    assert [model.stale for model in stale] == [True, True]
    one.fault = None
    assert not listing(catalog, refresh=True).stale


def test_a_refused_key_is_told_and_its_old_list_is_gone(quiet):
    one = Imitation("fox")
    catalog = one.catalog()
    listing(catalog)
    one.fault = AuthenticationFailed("Fox rejected the key (401).", hint="Check the key in FOX_KEY.")
    found = listing(catalog, refresh=True)
    (source,) = found.sources
    assert (source.state, source.message) == ("refused", "Fox rejected the key (401).")
    assert source.hint == "Check the key in FOX_KEY."
    assert not [model for model in found.models if model.id.startswith("fox/")]


def test_many_at_once_ask_once(quiet):
    one = Imitation("fox")
    one.delay_s = {"fox": 0.1}
    catalog = one.catalog()

    async def many():
        return await asyncio.gather(*(catalog.listing(load()) for _ in range(5)))

    assert all("fox/one" in ids(found) for found in runner.run(many()))
    assert one.asked == ["fox"]


def test_each_provider_is_asked_in_its_own_way(quiet, env, lists, providers_at):
    env(
        OPENAI_API_KEY="sk-one",
        ANTHROPIC_API_KEY="sk-ant",
        GEMINI_API_KEY="AIza-gem",
        COHERE_API_KEY="co-here",
        OPENROUTER_API_KEY="sk-or",
    )
    lists.answers = {
        "/openai/models": {"data": [{"id": "gpt-9"}, {"id": "text-embedding-3"}, {"id": "whisper-1"}]},
        "/anthropic/v1/models": {"data": [{"id": "claude-9", "display_name": "Claude 9"}]},
        "/gemini/models": {
            "models": [
                {
                    "name": "models/gemini-9",
                    "displayName": "Gemini 9",
                    "inputTokenLimit": 1000,
                    "supportedGenerationMethods": ["generateContent"],
                },
                {"name": "models/embed", "supportedGenerationMethods": ["embedContent"]},
            ]
        },
        "/v1/models": {"models": [{"name": "command-9", "endpoints": ["chat"], "context_length": 5}]},
        "/openrouter/models": {
            "data": [
                {
                    "id": "owl/large",
                    "context_length": 9000,
                    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
                    "pricing": {"prompt": "0.0000015", "completion": "0.000002"},
                    "supported_parameters": ["tools"],
                },
                {"id": "owl/painter", "architecture": {"output_modalities": ["image"]}},
                {"id": "owl/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
            ]
        },
    }
    # Cohere lists beside its OpenAI-like address, on the same host.
    providers_at["cohere"] = dataclasses.replace(
        providers_at["cohere"], default_base_url=f"{lists.url}/compatibility/v1"
    )
    found = listing(Catalog(keys=SessionKeys()))
    by_id = {model.id: model for model in found.models if model.source == "provider"}
    assert sorted(by_id) == [
        "anthropic/claude-9",
        "cohere/command-9",
        "gemini/gemini-9",
        "openai/gpt-9",
        "openrouter/owl/auto",
        "openrouter/owl/large",
    ]
    large = by_id["openrouter/owl/large"]
    assert (large.context_window, large.price) == (9000, (1.5, 2.0))
    assert (large.vision, large.tools, large.schema) == (True, True, False)
    assert by_id["openrouter/owl/auto"].price is None
    assert by_id["openai/gpt-9"].context_window is None
    assert by_id["anthropic/claude-9"].label == "Claude 9"
    sent = {path.partition("?")[0]: headers for path, headers in lists.asked}
    assert sent["/openai/models"]["authorization"] == "Bearer sk-one"
    assert sent["/anthropic/v1/models"]["x-api-key"] == "sk-ant"
    assert sent["/anthropic/v1/models"]["anthropic-version"]
    assert "authorization" not in sent["/anthropic/v1/models"]
    assert sent["/gemini/models"]["x-goog-api-key"] == "AIza-gem"
    assert not any("AIza" in path for path in lists.paths())


def test_only_providers_with_a_key_are_asked(quiet, env, lists, providers_at):
    env(GROQ_API_KEY="gsk-one")
    listing(Catalog(keys=SessionKeys()))
    assert lists.paths() == ["/groq/models"]


def test_a_session_key_makes_its_provider_be_asked(quiet, lists, providers_at):
    keys = SessionKeys()
    catalog = Catalog(keys=keys)
    lists.answers = {"/groq/models": {"data": [{"id": "fox"}]}}
    assert "groq/fox" not in ids(listing(catalog))
    keys.set("groq", "gsk-right-0123456789")
    lists.key = "gsk-right-0123456789"
    assert "groq/fox" in ids(listing(catalog))
    keys.set("groq", "gsk-wrong-0123456789")
    found = listing(catalog)
    assert state(found, "groq") == "refused"
    assert "groq/fox" not in ids(found)
    assert "gsk-" not in repr(found)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<html>hello</html>", "not a model list"),
        (b"{" * 10_000, "not a model list"),
        ({"data": "fox"}, "not a model list"),
        (b'{"data": [' + b'{"id": "fox"},' * 800_000 + b'{"id": "fox"}]}', "larger than 2 MB"),
        (500, "failed (500)"),
        (302, "redirects"),
    ],
)
def test_an_odd_answer_is_told_and_harms_nothing_else(quiet, env, lists, providers_at, answer, says):
    env(GROQ_API_KEY="gsk-one", MISTRAL_API_KEY="mi-one")
    lists.answers = {"/groq/models": answer, "/mistral/models": {"data": [{"id": "owl-chat"}]}}
    found = listing(Catalog(keys=SessionKeys()))
    assert state(found, "groq") == "down"
    assert says in next(source.message for source in found.sources if source.id == "groq")
    assert "mistral/owl-chat" in ids(found)
    # What was never listed is suggested all the same: the key may be good.
    assert any(id.startswith("groq/") for id in ids(found))


def test_odd_rows_are_left_out_and_markup_stays_text(quiet, env, lists, providers_at):
    env(GROQ_API_KEY="gsk-one")
    markup = "<img src=x onerror=alert(1)>"
    rows = [
        {"id": markup},
        {"id": "fox"},
        {"id": "fox"},
        {"id": 3},
        {},
        None,
        "fox",
        {"id": ""},
        {"id": "a\nb"},
    ]
    rows += [{"id": "x" * 300}, {"id": " fox "}]
    rows += [{"id": f"many-{number}"} for number in range(3000)]
    lists.answers = {"/groq/models": {"data": rows}}
    found = listing(Catalog(keys=SessionKeys()))
    listed = [model.id for model in found.models if model.source == "provider"]
    assert listed.count("groq/fox") == 1
    assert f"groq/{markup}" in listed
    assert len(listed) == 2000
    assert not any("\n" in id or len(id) > 250 for id in listed)


def test_an_endpoint_tells_what_a_proxy_knows_beside_the_providers(quiet, env, lists, providers_at):
    env(LLM_BASE_URL=f"{lists.url}/v1", LLM_API_KEY="sk-end", OPENAI_API_KEY="sk-one", LLM_MODEL="my/own")
    lists.answers = {
        "/v1/models": {"data": [{"id": "fast"}, {"id": "whisper-like"}]},
        "/v1/model/info": {
            "data": [
                {
                    "model_name": "fast",
                    "model_info": {
                        "max_input_tokens": 8192,
                        "supports_vision": False,
                        "input_cost_per_token": 1e-6,
                        "output_cost_per_token": 2e-6,
                    },
                }
            ]
        },
    }
    found = listing(Catalog(keys=SessionKeys()))
    keys = {
        "/v1/model/info": "Bearer sk-end",
        "/v1/models": "Bearer sk-end",
        "/openai/models": "Bearer sk-one",
    }
    assert sorted(lists.paths()) == sorted(keys), "no local server is looked for beside an endpoint"
    assert {path: headers["authorization"] for path, headers in lists.asked} == keys
    by_id = {model.id: model for model in found.models}
    fast = by_id["fast"]
    assert (fast.transport, fast.source, fast.context_window) == ("endpoint", "endpoint", 8192)
    assert (fast.vision, fast.tools, fast.price) == (False, None, (1.0, 2.0))
    assert by_id["whisper-like"].configured, "an endpoint's names mean what its owner says"
    assert by_id["my/own"].source == "settings"
    assert "openai/gpt-5-mini" not in by_id, "its id would go to the endpoint"
    direct = by_id["direct:openai/gpt-5-mini"]
    assert (direct.configured, direct.provider, direct.plan_id) == (True, "openai", "openai/gpt-5-mini")
    assert not by_id["direct:anthropic/claude-haiku-4-5"].configured


def test_a_proxy_that_keeps_its_secrets_is_listed_all_the_same(quiet, env, lists):
    env(LLM_BASE_URL=f"{lists.url}/v1")
    lists.answers = {"/v1/models": {"data": [{"id": "fast"}]}, "/v1/model/info": 403}
    found = listing(Catalog(keys=SessionKeys()))
    assert state(found, "endpoint") == "ok"
    assert ids(found) == ["fast", "phrasebook"]


def test_a_local_server_is_found_and_its_silence_is_no_fault(quiet, env, lists, monkeypatch):
    lists.answers = {"/api/tags": {"models": [{"name": "qwen3:4b"}, {"name": "llama3.2:latest"}]}}
    table = {row.id: row for row in providers.every()}
    table["ollama"] = dataclasses.replace(table["ollama"], default_base_url=lists.url)
    table["lm_studio"] = dataclasses.replace(table["lm_studio"], default_base_url=NOTHING_THERE)
    monkeypatch.setattr(providers, "_table", lambda: table)
    env(OLLAMA_API_BASE="", LM_STUDIO_API_BASE="")
    found = listing(Catalog(keys=SessionKeys()))
    assert ids(found, provider="ollama") == ["ollama/llama3.2", "ollama/qwen3:4b"]
    assert state(found, "ollama") == "ok"
    assert state(found, "lm_studio") == "off"
    assert ids(found, provider="lm_studio") == []
    assert state(found, "hosted_vllm") == "down", "this one was set, so its silence is told"
    assert all(not model.configured for model in found.select(provider="lm_studio", everything=True))


def test_when_nobody_ever_answered_there_is_the_packaged_list(quiet, env):
    found = listing(Catalog(keys=SessionKeys()))
    assert found.cached_at is None
    assert ids(found) == ["phrasebook"]
    everything = ids(found, everything=True)
    assert {"openai/gpt-5-mini", "ollama/llama3.2", "azure/gpt-5.4-mini"} <= set(everything)
    assert len(everything) == len(set(everything))


def test_a_provider_without_a_list_has_its_suggestions(quiet, env):
    env(REPLICATE_API_KEY="r8-one")
    assert "replicate/openai/gpt-5-mini" in ids(listing(Catalog(keys=SessionKeys())))


def test_words_and_providers_choose(quiet):
    one = Imitation("fox", "owl")
    found = listing(one.catalog())
    assert ids(found, words="ONE fox") == ["fox/one"]
    assert ids(found, provider="owl") == ["owl/one", "owl/two"]
    assert ids(found, words="nowhere") == []


def test_what_a_plan_does_not_allow_is_hidden_or_locked(quiet, env):
    one = Imitation("fox", "owl")
    catalog = one.catalog()
    env(LLM_PLAN="p", LLM_PLAN_MODELS_JSON='{"p": ["fox/*"]}')
    found = listing(catalog)
    assert ids(found) == ["fox/one", "fox/two", "phrasebook"]
    assert found.plan is not None and found.plan.name == "p"
    env(LLM_PLAN_SHOW_LOCKED="1")
    locked = {model.id: model.locked for model in listing(catalog).select()}
    assert locked == {
        "fox/one": False,
        "fox/two": False,
        "owl/one": True,
        "owl/two": True,
        "phrasebook": False,
    }


def test_models_in_the_hosts_folders_are_listed_by_name(quiet, tmp_path, env):
    checkpoint = tmp_path / "models" / "LLM" / "Qwen3-4B"
    checkpoint.mkdir(parents=True)
    (checkpoint / "config.json").write_text("{}")
    (checkpoint / "model.safetensors").write_text("")
    (tmp_path / "models" / "LLM" / "small.Q4.gguf").write_text("")
    (tmp_path / "models" / "LLM" / "mmproj-small.gguf").write_text("")
    (tmp_path / "models" / "LLM" / "big-00002-of-00003.gguf").write_text("")
    (tmp_path / "models" / "LLM" / "broken").mkdir()
    (tmp_path / "models" / "LLM" / "broken" / "config.json").write_text("{}")
    use_llm_folders(lambda: [tmp_path / "models" / "LLM"])
    try:
        found = [model for model in listing(Catalog(keys=SessionKeys())).models if model.source == "folder"]
        assert {(model.id, model.transport) for model in found} == {
            ("Qwen3-4B", "hf_local"),
            ("small.Q4.gguf", "gguf"),
        }
        assert str(tmp_path) not in repr(found)
    finally:
        use_llm_folders(lambda: ())


@pytest.mark.parametrize("status", [404, 405])
def test_a_provider_without_a_list_is_no_fault_and_its_key_is_kept(quiet, env, lists, providers_at, status):
    env(XAI_API_KEY="planted-key-0123456789")
    lists.answers = {"/xai/models": status}
    found = listing(Catalog(keys=SessionKeys()))
    assert state(found, "xai") == "off"
    tried = runner.run(check_provider("xai", load()))
    assert (tried.ok, tried.message) == (None, "This provider cannot be checked for free.")
    lists.answers = {"/xai/models": 401}
    assert runner.run(check_provider("xai", load())).ok is False
