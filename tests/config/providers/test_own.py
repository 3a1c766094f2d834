"""The user's own rows of ``providers.yaml``: what counts, and what is said of what does not."""

from __future__ import annotations

import pytest
from wire.answers import TEXT

from quillwork.config import providers
from quillwork.config.access import consent
from quillwork.config.choice import Choice
from quillwork.config.deployment import deploy
from quillwork.config.diagnostics import health, status
from quillwork.config.models.catalog import Catalog
from quillwork.config.providers import own, table
from quillwork.config.settings.values import load
from quillwork.llm_backends import client
from quillwork.llm_backends.errors import ConsentNeeded, MissingKey, NotConfigured
from quillwork.llm_backends.runner import runner

KEY = "planted-key-of-mine-0123456789"
ROW = """\
my_gateway:
  label: The firm's gateway
  base: {base}
  models: [fox, team/owl]
  aliases: [gateway]
"""


def write(home, text: str) -> None:
    (home / "providers.yaml").write_text(text, encoding="utf-8")


def asked(model: str, **choice):
    return deploy(Choice(llm_mode="litellm", llm_model=model, **choice))


def test_a_row_of_ones_own_is_a_provider_like_any_other(home, env):
    write(home, ROW.format(base="https://gateway.example/v1/"))
    with pytest.raises(MissingKey, match="The firm's gateway needs a key, but MY_GATEWAY_API_KEY is not set"):
        asked("my_gateway/fox", by_workflow=False)
    with pytest.raises(ConsentNeeded, match="The firm's gateway") as caught:
        asked("gateway/fox")
    assert "LLM_ALLOW=my_gateway" in caught.value.hint
    env(MY_GATEWAY_API_KEY=KEY, OPENAI_API_KEY="sk-planted-of-openai")
    deployed = asked("gateway/team/owl", by_workflow=False)
    assert (deployed.base_url, deployed.model) == ("https://gateway.example/v1", "team/owl")
    assert deployed.api_key is not None and deployed.api_key.reveal() == KEY
    assert not deployed.is_local
    assert deploy(Choice(llm_model="my_gateway/fox", by_workflow=False)).provider == "my_gateway"
    env(MY_GATEWAY_API_BASE="https://elsewhere.example/v1")
    assert asked("my_gateway/fox", by_workflow=False).base_url == "https://elsewhere.example/v1"


def test_it_answers_at_its_address_with_its_key_through_litellm(home, env, wire):
    pytest.importorskip("litellm", reason="litellm is not installed here")
    write(home, ROW.format(base=f"{wire.url}/v1") + "  key: FIRM_TOKEN\n  key_optional: false\n")
    env(FIRM_TOKEN=KEY, OPENAI_API_KEY="sk-planted-of-openai")
    deployed = asked("my_gateway/fox", by_workflow=False)
    assert deployed.is_local
    assert client.ask("a fox", deployed).text == TEXT
    with client.stream("a fox", deployed) as chunks:
        assert "".join(chunk.text for chunk in chunks) == TEXT
    assert {entry.headers["authorization"] for entry in wire.log} == {f"Bearer {KEY}"}
    assert {entry.path for entry in wire.log} == {"/v1/chat/completions"}


def test_it_shows_in_lists_settings_and_keys(home, env):
    write(home, ROW.format(base="https://gateway.example/v1") + "  list: none\n")
    env(MY_GATEWAY_API_KEY=KEY)
    row = next(row for row in status.provider_rows(load()) if row["id"] == "my_gateway")
    assert (row["label"], row["configured"], row["key_variables"]) == (
        "The firm's gateway",
        True,
        ["MY_GATEWAY_API_KEY"],
    )
    assert row["key_url"] == "https://gateway.example"
    assert any(row["provider"] == "my_gateway" for row in status.key_rows(load()))
    assert "my_gateway" in consent.everything()
    assert "my_gateway" in providers.names()
    listing = runner.run(Catalog().listing(load()))
    assert {"my_gateway/fox", "my_gateway/team/owl"} <= {
        model.id for model in listing.select(provider="my_gateway")
    }


def test_a_server_on_this_machine_needs_no_key(home):
    write(home, "box: {base: 'http://localhost:9/v1'}")
    deployed = asked("box/fox")
    assert (deployed.is_local, deployed.api_key, deployed.retries) == (True, None, 0)


def test_the_file_is_read_again_when_it_changes(home):
    assert "box" not in providers.names()
    write(home, "box: {base: 'http://localhost:9/v1'}")
    assert "box" in providers.names()
    (home / "providers.yaml").unlink()
    assert "box" not in providers.names()


BASE = "base: https://x.example/v1"
FAULTS = {
    "openai: {base: https://evil.example}": "row openai: openai is a name of Quillwork's own; choose another",
    "google: {base: https://evil.example}": "row google: google is a name of Quillwork's own; choose another",
    "github_copilot: {base: https://x.example}": "github_copilot is a name of Quillwork's own",
    "direct: {base: https://x.example}": "direct is a name of Quillwork's own; choose another id",
    "gguf: {base: https://x.example}": "gguf is a name of Quillwork's own; choose another id",
    f"mine: {{{BASE}, aliases: [xai]}}": "row mine: xai is a name of Quillwork's own",
    f"a: {{{BASE}}}\nmine: {{{BASE}, aliases: [a]}}": "row mine: a already stands for a;",
    f"mine: {{{BASE}, aliases: [A B]}}": "the alias A B is made of other signs than small letters",
    f"My Server: {{{BASE}}}": "row My Server: an id is made of small letters, digits, - and _;",
    "mine: https://x.example": "row mine: it has no fields; write at least `base:",
    "mine:": "row mine: it has no fields",
    "mine: {label: Mine}": "row mine: base is missing; write the server's address",
    "mine: {base: 17}": "row mine: base is not a text on one line",
    f"mine: {{{BASE}, bse: x}}": "row mine: bse is not a field; write one of label, base",
    "mine: {base: http://x.example/v1}": "row mine: base is an address without encryption",
    "mine: {base: http://192.168.1.5/v1}": "row mine: base is an address without encryption",
    "mine: {base: https://me:planted-key@x.example}": "row mine: base holds a name or a password",
    "mine: {base: ftp://x.example}": "row mine: base is not a valid address",
    "mine: {base: 'https://x.example/v1?key=planted-key'}": "row mine: base is not a valid address",
    f"mine: {{{BASE}, key: sk-planted-key}}": "row mine: key is the name of a variable, in capitals,",
    f"mine: {{{BASE}, key: OPENAI_API_KEY}}": "its variable OPENAI_API_KEY is that of openai;",
    f"mine: {{{BASE}, key: LLM_API_KEY}}": "its variable LLM_API_KEY is a setting of",
    f"fireworks: {{{BASE}}}": "its variable FIREWORKS_API_KEY is that of fireworks_ai",
    f"mine: {{{BASE}, key_url: 'javascript:x'}}": "key_url is not a page; write one that begins with https://",
    f"mine: {{{BASE}, key_optional: maybe}}": "key_optional is maybe; write true or false",
    f"mine: {{{BASE}, models: 3}}": "models is not a list of texts; write it as [one, two]",
    f"mine: {{{BASE}, models: ['https://x']}}": "the model https://x is no id",
    f"mine: {{{BASE}, known: {{sight: true}}}}": "known says true or false of schema, vision, tools",
    f"mine: {{{BASE}, list: some}}": "list is some; write none where the server lists no models",
    f"mine: {{{BASE}}}\nmine: {{{BASE}}}": 'line 2: "mine" is given twice; keep one of the two',
    "mine: [": "this is not valid YAML",
    "- mine": "providers.yaml: this holds no rows; write an id with a colon",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_one_sentence_that_names_row_and_remedy(text, home, env):
    env(OPENAI_API_KEY="sk-of-openai", MINE_API_KEY=KEY)
    write(home, text)
    (said,) = own.faults()
    assert said.startswith("providers.yaml")
    assert FAULTS[text] in said
    assert "planted" not in said
    failed = [check for check in health.checks(load()) if not check.ok and "of your own" in check.name]
    assert [check.message for check in failed] == [said]
    assert str(home / "providers.yaml") in failed[0].hint
    # Ours are as they were, and every other row of the file counts.
    assert asked("openai/fox", by_workflow=False).base_url == "https://api.openai.com/v1"
    assert providers.get("google").id == "gemini"
    assert set(own.rows()) <= {"a"}


def test_whoever_asks_for_a_row_with_a_fault_is_told_of_it(home):
    write(home, "mine: {base: http://x.example/v1}\nother: {base: 'https://x.example/v1'}")
    for choice in (Choice(llm_model="mine/fox"), Choice(llm_mode="litellm", llm_model="mine/fox")):
        with pytest.raises(
            NotConfigured, match=r"providers\.yaml, row mine: base is an address without"
        ) as caught:
            deploy(choice)
        assert str(home / "providers.yaml") in caught.value.hint
    assert "other" in providers.names()


def test_no_row_of_ours_can_be_taken_over(home):
    names = {*table.by_name(), *table.refused()}
    write(home, "".join(f'"{name}": {{base: https://evil.example}}\n' for name in sorted(names)))
    assert own.rows() == {}
    assert len(own.faults()) == len(names)
    assert "evil" not in str(providers.every())
