"""The phrasebook as a backend."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from quillwork.llm_backends import registry
from quillwork.llm_backends.errors import BackendUnavailable
from quillwork.llm_backends.types import Chunk, Deployment, Request, Usage
from quillwork.prompting import phrasebook, targets
from quillwork.prompting.tasks import EnhanceTask, VariablesTask

DEPLOYMENT = Deployment("phrasebook", "")
ROOT = Path(phrasebook.__file__).resolve().parents[2]


def chunks_for(task: object) -> list[Chunk]:
    phrasebook.register()

    async def collect() -> list[Chunk]:
        backend = registry.get("phrasebook")
        chunks = [chunk async for chunk in backend.stream(Request((), task=task), DEPLOYMENT)]
        await backend.close()
        return chunks

    return asyncio.run(collect())


def test_a_prompt_comes_in_a_handful_of_chunks() -> None:
    task = EnhanceTask("a fox in the snow", targets.load("plain"), seed=1)
    *pieces, last = chunks_for(task)
    assert "".join(piece.text for piece in pieces) == phrasebook.write(task)
    assert 3 <= len(pieces) <= 8
    assert all(piece.text for piece in pieces)
    assert last.usage == Usage(0, 0, 0.0)
    assert last.finish_reason == "stop"


def test_values_come_as_the_json_that_was_asked_for() -> None:
    text = "".join(chunk.text for chunk in chunks_for(VariablesTask("season", 5)))
    assert len(json.loads(text)["values"]) == 5


def test_a_chat_is_refused_with_the_next_step() -> None:
    with pytest.raises(BackendUnavailable, match="only prompts and lists"):
        chunks_for(None)


def test_registering_twice_is_once_and_makes_nothing() -> None:
    phrasebook.register()
    phrasebook.register()
    assert registry.names().count("phrasebook") == 1


def test_registering_imports_no_yaml_and_reads_no_file() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests'); import conftest\n"
        "from quillwork.prompting import phrasebook\n"
        "phrasebook.register()\n"
        "bad = [m for m in sys.modules if m == 'yaml' or m.startswith('quillwork.prompting.phrasebook.')]\n"
        "sys.exit(repr(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("idea", "target", "told"),
    [
        ("drei kleine Igel", "sdxl", True),
        ("un vecchio pescatore nella nebbia", "illustrious", True),
        ("桜の木の下で本を読む少女", "sdxl", False),
        ("桜の木の下で本を読む少女", "plain", False),
        ("一只熊猫在竹林里吃竹子", "qwen_image", False),
        ("a fox in the snow", "sdxl", False),
        ("🦊❄️", "sdxl", False),
    ],
)
def test_a_language_that_is_not_translated_is_reported(idea: str, target: str, told: bool) -> None:
    warnings = [chunk.warning for chunk in chunks_for(EnhanceTask(idea, targets.load(target)))]
    assert any("cannot translate" in warning for warning in warnings if warning) is told


@pytest.mark.parametrize(
    ("idea", "english"),
    [
        (
            "Kinder in gelben Gummistiefeln springen in eine Pfütze",
            "children in yellow rubber boots jumping in puddle",
        ),
        ("Eine junge Frau im Nebel", "young woman in fog"),
        ("un chat noir dort sur un piano", "black cat sleeping on piano"),
        ("dos caballos blancos corren por la playa", "two white horses running along beach"),
        ("um velho pescador consertando redes no porto", "old fisherman mending nets in harbour"),
        ("девочка читает книгу в саду", "girl reading book in garden"),
        ("桜の木の下で本を読む少女", "girl under cherry tree, reading book"),
        ("海边的红色灯塔，日出", "red lighthouse, seaside, sunrise"),
        ("한복을 입은 여자가 궁궐 앞에 서 있다", "woman, wearing hanbok in front of palace, standing"),
    ],
)
def test_the_commonest_words_are_said_in_english(idea: str, english: str) -> None:
    chunks = chunks_for(EnhanceTask(idea, targets.load("sdxl")))
    assert "".join(chunk.text for chunk in chunks).startswith(english)
    assert any(f"“{english}”" in chunk.warning for chunk in chunks if chunk.warning)


def test_a_word_without_english_is_named() -> None:
    chunks = chunks_for(EnhanceTask("drei Katzen vor einem riesigen Haus", targets.load("sdxl")))
    assert any("with “riesigen” left as it is" in chunk.warning for chunk in chunks if chunk.warning)
    assert "riesigen" in "".join(chunk.text for chunk in chunks)


def test_a_word_of_another_script_without_english_is_left_out_and_named() -> None:
    chunks = chunks_for(EnhanceTask("старик играет в шахматы с роботом", targets.load("sdxl")))
    assert any("without “шахматы”" in chunk.warning for chunk in chunks if chunk.warning)


@pytest.mark.parametrize(
    "idea", ["a red car on the street", "train, table, port", "portrait of a woman", "a rose"]
)
def test_english_stays_english(idea: str) -> None:
    chunks = chunks_for(EnhanceTask(idea, targets.load("sdxl")))
    assert not any(chunk.warning for chunk in chunks)
    assert "".join(chunk.text for chunk in chunks).startswith(idea)
