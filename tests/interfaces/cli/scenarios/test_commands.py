"""The command line as a person uses it: a process of its own, its output, its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hub.fixtures import _hub_thread, hub  # noqa: F401
from hub.server import HubServer
from interfaces.cli.processes import KEY, ROOT, Command, endpoint
from terminal import user_folder
from wire.server import WireServer


def test_two_words_are_enough_for_a_first_prompt(command: Command) -> None:
    done = command("enhance", "a fox in the snow")
    assert done.returncode == 0
    assert done.stdout.startswith("a fox in the snow")
    assert len(done.stdout.split()) > 15


def test_enhance_prints_what_the_model_wrote(command: Command, wire: WireServer) -> None:
    done = command("enhance", "a fox", **endpoint(wire))
    assert (done.returncode, done.stdout) == (0, "a red fox in fresh snow\n")


def test_enhance_tells_length_format_language_and_references(command: Command, wire: WireServer) -> None:
    options = "--target seedance_2 --duration 8 --aspect 16:9 --language de --reference-role style"
    done = command(
        "enhance", "a fox", *options.split(), "--reference-role", "subject: Anna", **endpoint(wire)
    )
    assert done.returncode == 0, done.stderr
    said = str(wire.log[0].json["messages"])
    for piece in ("Length: 8 seconds", "Picture format: 16:9", "in German", "@Image1: the style", "“Anna”"):
        assert piece in said, piece
    assert "Take only the style from @Image1." in done.stdout


def test_enhance_as_json(command: Command, wire: WireServer) -> None:
    done = command("enhance", "a fox", "--variations", "3", "--target", "sdxl", "--json", **endpoint(wire))
    answer = json.loads(done.stdout)
    assert set(answer) == {"prompts", "negative", "info"}
    assert answer["prompts"] == ["a red fox in fresh snow"] * 3
    assert len(answer["negative"]) == 3
    assert answer["info"]["model"] == "fox"
    assert {
        "mode",
        "model",
        "provider",
        "prompt_tokens",
        "completion_tokens",
        "cost_usd",
        "seconds",
        "finish_reason",
        "attempts",
        "warnings",
    } <= set(answer["info"])


def test_flags_win_over_the_environment(command: Command, wire: WireServer) -> None:
    command(
        "enhance", "a fox", "--model", "owl", "--seed", "7", "--instruction", "at night", **endpoint(wire)
    )
    (request,) = wire.log
    assert (request.json["model"], request.json["seed"]) == ("owl", 7)
    assert "at night" in request.json["messages"][-1]["content"]


def test_variables_and_their_file(command: Command, wire: WireServer, environment: dict[str, str]) -> None:
    wire.script("painter", '{"values": ["red", "green", "blue"]}')
    done = command("variables", "hue", "--count", "3", "--save", "--json", **endpoint(wire, "painter"))
    assert json.loads(done.stdout)["values"] == ["red", "green", "blue"]
    assert "green" in (Path(environment["QUILLWORK_HOME"]) / "library" / "hue.txt").read_text("utf-8")
    filled = command("resolve", "a __hue__ fox", "--selection", "cycle", "--count", "2")
    assert filled.stdout == "a red fox\na green fox\n"
    pairs = command("resolve", "__hue__ __hue__", "--count", "30", "--no-repeats").stdout.splitlines()
    assert all(len(set(pair.split())) == 2 for pair in pairs)
    as_json = json.loads(command("resolve", "a __hue__ fox", "--json").stdout)
    assert set(as_json) == {"prompts", "picks"}


def test_the_lists_are_json_where_json_is_asked_for(command: Command, wire: WireServer) -> None:
    for name, key in (("models", "models"), ("providers", "providers"), ("config", "settings")):
        answer = json.loads(command(name, "--json", **endpoint(wire)).stdout)
        assert answer[key], name
    assert "fox" in command("models", **endpoint(wire)).stdout
    listed = command("providers", "--all", XAI_API_KEY="k", XAI_API_BASE="http://xai.example").stdout
    lines = {line.split()[0]: line for line in listed.splitlines() if line}
    assert len(lines) > 100
    assert "XAI_API_BASE" in lines["xai"]
    assert "encryption" in lines["xai"]
    assert "CLOUDFLARE_API_KEY CLOUDFLARE_ACCOUNT_ID" in lines["cloudflare"]
    assert "no key needed" in lines["ollama"]
    few = command("providers", XAI_API_KEY="k").stdout
    assert "ready (environment)" in few
    assert "cloudflare" not in few
    assert "--all" in few


def test_config_tells_where_each_value_comes_from_and_no_key(
    command: Command, wire: WireServer, environment: dict[str, str]
) -> None:
    home = Path(environment["QUILLWORK_HOME"])
    home.mkdir(parents=True)
    (home / ".env").write_text("LLM_MODEL_CHAT=owl\n")
    rows = {
        row["name"]: row
        for row in json.loads(command("config", "--json", **endpoint(wire)).stdout)["settings"]
    }
    assert (rows["LLM_MODEL"]["value"], rows["LLM_MODEL"]["origin"]) == ("fox", "environment")
    assert (rows["LLM_MODEL_CHAT"]["value"], rows["LLM_MODEL_CHAT"]["origin"]) == ("owl", ".env")
    assert KEY not in command("config", **endpoint(wire)).stdout


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "says"),
    [
        ((), {}, 2, "usage"),
        (("enhance",), {}, 2, "--file IN"),
        (("enhance", "a fox", "--target", "flux1_dve"), {}, 2, "flux1_dev"),
        (("enhance", "a fox", "--variations", "99"), {}, 2, "64"),
        (("enhance", "a fox", "--duration", "long"), {}, 2, "number of seconds"),
        (("enhance", "a fox", "--aspect", "wide"), {}, 2, "such as 16:9"),
        (("enhance", "a fox", "--language", "xx"), {}, 2, "choose one of en"),
        (("enhance", "  "), {}, 2, "empty"),
        (("enhance", "a fox"), {"LLM_MODE": "litellm"}, 2, "LLM_MODEL"),
        (("enhance", "a fox", "--mode", "nosuch"), {}, 2, "nosuch"),
        (("resolve", "a __nothing__"), {}, 2, "__nothing__"),
        (("enhance", "a fox", "--model", "x"), {"LLM_BASE_URL": "http://127.0.0.1:9/v1"}, 3, "127.0.0.1:9"),
        (("variables", "no such thing at all"), {}, 3, "phrasebook"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_its_own_exit_code(
    command: Command, arguments: tuple[str, ...], variables: dict[str, str], code: int, says: str
) -> None:
    done = command(*arguments, **variables)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("model", ["fox-status401", "fox-status500", "fox-empty", "fox-refusal"])
def test_a_model_that_fails_is_exit_code_3(command: Command, wire: WireServer, model: str) -> None:
    done = command("enhance", "a fox", **endpoint(wire, model))
    assert (done.returncode, done.stdout) == (3, "")
    assert 1 <= len(done.stderr.strip().splitlines()) <= 2
    assert KEY not in done.stderr


def test_passing_on_still_says_what_happened(command: Command, wire: WireServer) -> None:
    done = command("enhance", "a fox", "--on-error", "passthrough", **endpoint(wire, "fox-status401"))
    assert (done.returncode, done.stdout) == (0, "a fox\n")
    assert "401" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_control_c_is_exit_code_130_and_hangs_up(wire: WireServer, environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT), "enhance", "a fox"],
        env={**environment, **endpoint(wire, "fox-hang")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 100
    while not wire.log and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "Traceback" not in said
    while not wire.disconnects and time.monotonic() < deadline:
        time.sleep(0.02)
    assert wire.disconnects


def test_usage_is_kept_over_programs(command: Command, wire: WireServer) -> None:
    none = command("usage", **endpoint(wire))
    assert (none.returncode, none.stdout.split()[:3]) == (0, ["today", "0", "calls"])
    command("enhance", "a fox", "--variations", "3", **endpoint(wire))
    summary = json.loads(command("usage", "--json", **endpoint(wire)).stdout)
    (row,) = summary["today"]["models"]
    assert (row["name"], row["calls"], row["prompt_tokens"]) == ("endpoint/fox", 3, 33)
    assert summary["today"]["callers"][0]["name"] == "enhance, command line"
    shown = command("usage", LLM_BUDGET_DAY="2.50", **endpoint(wire)).stdout
    assert "endpoint/fox  3 calls  33 + 21 tokens  cost unknown" in shown
    assert "$0.00 of $2.50" in shown


def test_a_budget_stops_a_call_before_it_is_sent(command: Command) -> None:
    spent = {"LLM_BUDGET_DAY": "0", "OPENAI_API_KEY": KEY, "LLM_MODEL": "openai/gpt-5-mini"}
    done = command("enhance", "a fox", **spent)
    assert done.returncode == 3
    assert "LLM_BUDGET_DAY" in done.stderr
    assert "Traceback" not in done.stderr
    kept = command("enhance", "a fox", "--on-error", "phrasebook", **spent)
    assert kept.returncode == 0
    assert "a fox" in kept.stdout


def test_a_yes_is_kept(command: Command) -> None:
    assert "openai" not in json.loads(command("setup", "--json").stdout)["allowed"]
    assert command("setup", "--allow", "openai").returncode == 0
    assert "openai" in json.loads(command("setup", "--json").stdout)["allowed"]


def test_the_doctor_looks_and_says_what_to_do(command: Command) -> None:
    done = command("doctor", LLM_BASE_URL="http://127.0.0.1:9/v1")
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stdout
    assert "Python" in done.stdout
    assert command("doctor", "--json", LLM_BASE_URL="http://127.0.0.1:9/v1").returncode == 1
    assert command("doctor").returncode == 0


def test_the_doctor_looks_at_observers(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "seen.py").write_text("def on_call(event): ...\nnothing = 1\n")
    seen = {
        "PYTHONPATH": str(tmp_path),
        "LLM_CALLBACKS": "langfuse,helicone,mine.seen:on_call,mine.seen:nothing,mine.seen:no,gone.away:f",
        "HELICONE_API_KEY": KEY,
    }
    done = command("doctor", **seen)
    assert done.returncode == 1
    assert KEY not in done.stdout + done.stderr
    for line in (
        "LOOK  Observers: LLM_CALLBACKS names langfuse, but LANGFUSE_SECRET_KEY is not set.",
        "ok    Observers: helicone at https://api.worker.helicone.ai",
        "ok    Observers: mine.seen:on_call",
        "LOOK  Observers: The observer mine.seen:nothing is not a function.",
        "LOOK  Observers: The observer mine.seen:no cannot be loaded (AttributeError).",
        "LOOK  Observers: The observer gone.away:f cannot be loaded (ModuleNotFoundError).",
    ):
        assert line in done.stdout, done.stdout
    assert command("doctor", **{**seen, "LLM_CALLBACKS": "helicone,mine.seen:on_call"}).returncode == 0


@pytest.mark.parametrize("is_its_own", [True, False])
def test_the_doctor_sees_that_it_has_another_python(
    command: Command, environment: dict[str, str], is_its_own: bool
) -> None:
    python = sys.executable if is_its_own else "/opt/comfy/venv/bin/python"
    notes = user_folder(Path(environment["HOME"])) / "hosts.json"
    notes.parent.mkdir(parents=True)
    note = {"host": "ComfyUI", "pack": str(ROOT), "home": environment["QUILLWORK_HOME"], "python": python}
    notes.write_text(json.dumps({"hosts": [note]}))
    done = command("doctor")
    line = f"LOOK  Python: ComfyUI runs with {python}, and this is {sys.executable}"
    assert (done.returncode, line in done.stdout) == ((0, False) if is_its_own else (1, True))
    assert (f"Run `{python} {ROOT} doctor`." in done.stdout) is not is_its_own


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"LLM_MODE": "nosuch"}, "Model: LLM_MODE is 'nosuch' (from environment), which is not a mode"),
        ({"LIBRARY_DIRS": "/nosuch/folder"}, "Library: /nosuch/folder is not a folder."),
        ({"LLM_BUDGET_DAY": "much"}, "Budget: LLM_BUDGET_DAY is 'much'"),
        ({"LLM_MODEL": "mistral/some"}, "Model: Mistral needs a key"),
    ],
)
def test_the_doctor_finds_settings_that_cannot_be(
    command: Command, variables: dict[str, str], says: str
) -> None:
    done = command("doctor", **variables)
    assert done.returncode == 1
    assert f"LOOK  {says}" in done.stdout


def test_the_doctor_tells_of_settings_that_cannot_be_read(
    command: Command, environment: dict[str, str]
) -> None:
    home = Path(environment["QUILLWORK_HOME"])
    home.mkdir(parents=True)
    (home / "quillwork.yaml").write_text("a: [1\nb: {")
    done = command("doctor")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("LOOK  Settings: quillwork.yaml, line 2: this is not valid YAML")


def test_nothing_heavy_is_imported_for_the_phrasebook(environment: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['quillwork', 'enhance', 'a fox', '--json']\n"
        "try:\n"
        f"    runpy.run_path({str(ROOT / '__main__.py')!r}, run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "heavy = {'litellm', 'openai', 'torch', 'transformers', 'bitsandbytes'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_a_model_typed_with_its_mode_may_be_downloaded(
    command: Command,
    hub: HubServer,  # noqa: F811
    environment: dict[str, str],
) -> None:
    pytest.importorskip("transformers")
    at = {"HF_ENDPOINT": hub.url}
    asked = command("enhance", "a fox", "--mode", "hf_download", **at)
    assert asked.returncode == 3
    assert "(2.7 GB) is not downloaded yet, and you have not allowed downloads" in asked.stderr
    assert command("enhance", "a fox", "--model", "org/fox", **at).returncode == 3
    assert hub.log == []
    hub.add("org/fox", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    asked = command("enhance", "a fox", "--mode", "hf_download", "--model", "org/fox", **at)
    assert asked.returncode == 3
    assert "org/fox has only pickle weights" in asked.stderr
    assert "Traceback" not in asked.stderr
