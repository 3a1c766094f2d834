"""The rows of the modes, and the row of another pack's mode."""

from __future__ import annotations

import uuid

import pytest

from quillwork.config.choice import Choice
from quillwork.config.diagnostics.status import config_view
from quillwork.config.model_source import find
from quillwork.config.models import entries
from quillwork.config.settings.values import load
from quillwork.llm_backends import modes, registry
from quillwork.llm_backends.modes import Mode

OURS = ["auto", "litellm", "hf_download", "hf_local", "gguf", "host_encoder", "phrasebook"]


@pytest.fixture
def name():
    name = f"pack-{uuid.uuid4().hex[:8]}"
    registry.register(name, object)
    return name


def test_ours_come_first_and_in_their_order(name):
    assert registry.choices()[: len(OURS)] == OURS
    assert registry.choices()[-1] == name
    assert registry.choices(installed=False) == registry.choices()
    assert {row.name for row in registry.rows()} == set(registry.names())


def test_another_packs_mode_is_offered_wherever_modes_are(name):
    assert name in config_view(load())["modes"]
    (entry,) = [entry for entry in entries.built_in() if entry.id == name]
    assert (entry.label, entry.transport, entry.price) == (name, name, None)
    assert entry.provider in modes.groups()


def test_a_page_gets_its_row_and_ours(name):
    registry.register(name, object, replace=True, mode=Mode(name, "Parrot", needs_wire=True))
    rows = {row["name"]: row for row in config_view(load())["mode_rows"]}
    assert list(rows)[: len(OURS)] == OURS
    assert rows[name] == {
        "name": name,
        "label": "Parrot",
        "aliases": (),
        "transports": (),
        "stands_in": False,
        "needs_wire": True,
        "downloads_weights": False,
    }
    assert rows["litellm"]["transports"] == ("litellm", "direct", "endpoint")
    assert [row for row in rows if rows[row]["stands_in"]] == ["phrasebook"]
    assert [row for row in rows if rows[row]["downloads_weights"]] == ["hf_download"]
    assert rows["host_encoder"]["aliases"] == ("z_image",)


def test_it_is_chosen_by_the_id_that_the_catalogue_gives_it(name):
    assert find(Choice(llm_model=name), load()).mode == name
    assert find(Choice(llm_model="phrasebook"), load()).mode == "phrasebook"


def test_it_may_bring_a_row_of_its_own(name):
    registry.register(name, object, replace=True, mode=Mode(name, "Parrot", takes_model=False, free=True))
    assert modes.of(name).label == "Parrot"
    assert find(Choice(llm_mode=name, llm_model="grey"), load()).model == ""


def test_what_is_no_mode_has_a_plain_row():
    assert modes.of("nobody") == modes.plain("nobody")
    assert modes.of("nobody").answers_messages and not modes.of("nobody").free


def test_an_alias_is_spelled_out():
    assert modes.spelled("z_image") == "host_encoder"
    assert modes.spelled("gguf") == "gguf"
