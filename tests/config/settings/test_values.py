"""Values of settings from every layer, with the word for their origin."""

from __future__ import annotations

import os
import sys

import pytest

from quillwork.config.settings import values
from quillwork.config.settings.values import load, override, use_host_settings
from quillwork.config.settings.variables import VARIABLES
from quillwork.llm_backends.errors import NotConfigured
from quillwork.llm_backends.types import Secret

KEY = "sk-planted-0123456789abcdef"


def write(home, name: str, text: str | bytes) -> None:
    (home / name).write_bytes(text if isinstance(text, bytes) else text.encode())


LAYERS = ["panel", "web UI settings", "environment", ".env", "quillwork.yaml"]


def put(layer: str, home, monkeypatch, name: str, text: str) -> None:
    if layer == "panel":
        override(name, text)
    elif layer == "web UI settings":
        before = values._host_settings[1]() if values._host_settings else {}
        use_host_settings(layer, lambda: {**before, name: text})
    elif layer == "environment":
        monkeypatch.setenv(name, text)
    elif layer == ".env":
        write(home, ".env", f"{name}={text}\n")
    else:
        write(home, "quillwork.yaml", f"{name}: {text}\n")


# -- precedence


def test_nothing_set_is_the_default(home):
    value = load().value("LLM_MODE")
    assert (value.text, value.origin, value.name, value.is_default) == ("auto", "default", "LLM_MODE", True)
    assert load().folder == home


@pytest.mark.parametrize("strongest", range(len(LAYERS)))
def test_the_strongest_layer_wins(home, monkeypatch, strongest):
    for layer in LAYERS[strongest:]:
        put(layer, home, monkeypatch, "LLM_MODEL", f"from-{layer}")
    value = load().value("LLM_MODEL")
    assert (value.text, value.origin) == (f"from-{LAYERS[strongest]}", LAYERS[strongest])


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_value_is_none(home, monkeypatch, empty):
    monkeypatch.setenv("LLM_MODEL", empty)
    write(home, ".env", "LLM_MODEL=fox\n")
    assert load().value("LLM_MODEL").origin == ".env"


@pytest.mark.parametrize(
    ("alias", "name"), [(alias, name) for name, variable in VARIABLES.items() for alias in variable.aliases]
)
@pytest.mark.parametrize("layer", LAYERS[LAYERS.index("environment") :])
def test_every_alias_counts_where_the_name_is_not_set(home, monkeypatch, caplog, layer, alias, name):
    put(layer, home, monkeypatch, alias, "70001")
    value = load().value(name)
    assert (value.text, value.origin, value.name) == ("70001", layer, alias)
    assert caplog.text.count(f"{alias} is read as {name}") == 1
    load().value(name)
    assert caplog.text.count(f"{alias} is read as {name}") == 1, "it is said again and again"
    monkeypatch.setenv(name, "5")
    assert load().value(name).name == name


def test_the_aliases_of_the_design_are_there():
    aliases = {alias for variable in VARIABLES.values() for alias in variable.aliases}
    assert {"LITELLM_BASE_URL", "LITELLM_API_KEY", "LLM_REQUEST_TIMEOUT_MS"} <= aliases


def test_an_alias_in_a_stronger_layer_beats_the_name_in_a_weaker(home, monkeypatch):
    monkeypatch.setenv("LITELLM_BASE_URL", "http://127.0.0.1:1")
    write(home, ".env", "LLM_BASE_URL=http://127.0.0.1:2\n")
    assert load().text("LLM_BASE_URL") == "http://127.0.0.1:1"


def test_the_panel_takes_a_value_back(home, env):
    env(LLM_MODEL="fox")
    override("LLM_MODEL", "owl")
    assert load().text("LLM_MODEL") == "owl"
    override("LLM_MODEL", None)
    override("LLM_MODEL", None)
    assert load().text("LLM_MODEL") == "fox"
    with pytest.raises(NotConfigured, match="LLM_MODELL"):
        override("LLM_MODELL", "x")


def test_a_snapshot_stays_as_it_was(home, env):
    before = load()
    override("LLM_MODEL", "owl")
    env(LLM_MODE="gguf")
    assert (before.text("LLM_MODEL"), before.text("LLM_MODE")) == ("", "auto")


# -- .env


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("LLM_MODEL=fox", "fox"),
        ("  LLM_MODEL = fox  ", "fox"),
        ("export LLM_MODEL=fox", "fox"),
        ("export\tLLM_MODEL=fox", "fox"),
        ('LLM_MODEL="a fox"', "a fox"),
        ("LLM_MODEL='fox # red'", "fox # red"),
        ('LLM_MODEL="fox" # the red one', "fox"),
        ("LLM_MODEL=fox # the red one", "fox"),
        ("LLM_MODEL=fox#1", "fox#1"),
        ("LLM_MODEL=ollama/fox:1=b", "ollama/fox:1=b"),
        ("LLM_MODEL=", ""),
        ("LLM_MODEL", ""),
        ("# LLM_MODEL=fox", ""),
        ("=fox", ""),
        ("LLM_MODEL=füchslein", "füchslein"),
        ("LLM_MODEL=a\nLLM_MODEL=b", "b"),
        ('LLM_MODEL="fox', '"fox'),
        ("\ufeffLLM_MODEL=fox", "fox"),
        ("X=1\r\nLLM_MODEL=fox\r\n", "fox"),
    ],
)
def test_dot_env_lines(home, line, text):
    write(home, ".env", line)
    assert load().text("LLM_MODEL") == text


def test_dot_env_in_latin_1_is_read(home):
    write(home, ".env", b"# gr\xfc\xdfe\nLLM_MODEL=fox\n")
    assert load().text("LLM_MODEL") == "fox"


@pytest.mark.parametrize("name", [".env", "quillwork.yaml"])
def test_a_changed_file_is_read_again(home, name):
    mark = "=" if name == ".env" else ": "
    write(home, name, f"LLM_MODEL{mark}fox\n")
    assert load().text("LLM_MODEL") == "fox"
    write(home, name, f"LLM_MODEL{mark}a longer one\n")
    assert load().text("LLM_MODEL") == "a longer one"
    (home / name).unlink()
    assert load().text("LLM_MODEL") == ""


def test_a_file_in_its_place_of_the_same_length_and_time_is_read(home):
    file = home / ".env"
    file.write_text("LLM_MODEL=ollama/one\n")
    assert load().text("LLM_MODEL") == "ollama/one"
    before, other = file.stat(), home / "other"
    other.write_text("LLM_MODEL=ollama/two\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert load().text("LLM_MODEL") == "ollama/two"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a file that may not be read")
def test_a_file_without_permission(home):
    write(home, ".env", "LLM_MODEL=fox")
    (home / ".env").chmod(0)
    with pytest.raises(NotConfigured, match="rights"):
        load()


@pytest.mark.skipif(sys.platform == "win32", reason="rights are another matter there")
def test_a_home_without_permission_is_no_home_without_settings(home):
    write(home, ".env", "LLM_MODE=gguf")
    home.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:  # who may read everything
        os.seteuid(65534)
    try:
        with pytest.raises(NotConfigured, match="Check the permissions of"):
            load()
    finally:
        if is_root:
            os.seteuid(0)
        home.chmod(0o700)


def test_a_folder_in_its_place(home):
    (home / ".env").mkdir()
    with pytest.raises(NotConfigured, match="cannot be read"):
        load()


# -- quillwork.yaml


@pytest.mark.parametrize(
    ("yaml", "name", "text"),
    [
        ("LLM_MODEL: ollama/llama3.2", "LLM_MODEL", "ollama/llama3.2"),
        ("llm_model: fox", "LLM_MODEL", "fox"),
        ("LLM_TIMEOUT_MS: 30000", "LLM_TIMEOUT_MS", "30000"),
        ("LLM_PLAN_SHOW_LOCKED: true", "LLM_PLAN_SHOW_LOCKED", "1"),
        ("LLM_PLAN_SHOW_LOCKED: false", "LLM_PLAN_SHOW_LOCKED", "0"),
        ("LLM_ALLOW: [openai, downloads]", "LLM_ALLOW", "openai,downloads"),
        ("LLM_ALLOW:\n- openai\n- downloads\n", "LLM_ALLOW", "openai,downloads"),
        ("LLM_MODEL: null", "LLM_MODEL", ""),
        ("LLM_MODEL:", "LLM_MODEL", ""),
        ("# nothing", "LLM_MODEL", ""),
        ("\ufeffLLM_MODEL: fox", "LLM_MODEL", "fox"),
        ("LLM_MODEL: fox\r\nLLM_MODE: gguf\r\n", "LLM_MODE", "gguf"),
        ('LLM_API_KEY: "007"', "LLM_API_KEY", "007"),
        ("LLM_API_KEY: 1e5", "LLM_API_KEY", "1e5"),
        ("LLM_API_KEY: 12345678901234567890", "LLM_API_KEY", "12345678901234567890"),
        ("LLM_PLAN_MODELS_JSON: {free: [ollama/*]}", "LLM_PLAN_MODELS_JSON", '{"free": ["ollama/*"]}'),
    ],
)
def test_yaml_values(home, yaml, name, text):
    write(home, "quillwork.yaml", yaml)
    assert load().text(name) == text


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("LLM_MODEL: [a", "quillwork.yaml, line"),
        ("LLM_MODEL: a: b", "quillwork.yaml, line 1"),
        ("a: &a [x]\nb: [*a, *a]", "aliases"),
        ("just text", "LLM_MODEL: ollama/llama3.2"),
        ("- a\n- b", "LLM_MODEL: ollama/llama3.2"),
        ("a: " + "[" * 200, "nested"),
        ("x: " + "y" * 300_000, "larger than 256 kB"),
    ],
)
def test_bad_yaml_is_one_plain_sentence(home, yaml, says):
    write(home, "quillwork.yaml", yaml)
    with pytest.raises(NotConfigured) as caught:
        load()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


# -- kinds


@pytest.mark.parametrize(("text", "number"), [("5", 5), ("60000.0", 60000), ("1e3", 1000)])
def test_numbers(home, env, text, number):
    env(LLM_TIMEOUT_MS=text)
    assert load().number("LLM_TIMEOUT_MS") == number


@pytest.mark.parametrize("text", ["0", "-1", "soon", "inf", "nan", "1e999", "12 s"])
def test_what_is_no_number_is_named_with_its_origin(home, env, text):
    env(LLM_REQUEST_TIMEOUT_MS=text)
    with pytest.raises(NotConfigured) as caught:
        load().number("LLM_TIMEOUT_MS")
    assert f"LLM_REQUEST_TIMEOUT_MS is {text!r} (from environment)" in caught.value.message
    assert caught.value.hint


def test_an_unset_number_is_none(home):
    assert load().number("LLM_MAX_CONCURRENCY") is None
    assert load().number("LLM_TIMEOUT_MS") == 60_000


@pytest.mark.parametrize(
    ("text", "on"),
    [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("no", False), ("", False)],
)
def test_flags(home, env, text, on):
    env(LLM_PLAN_SHOW_LOCKED=text)
    assert load().flag("LLM_PLAN_SHOW_LOCKED") is on


def test_lists(home, env):
    env(LLM_ALLOW=" openai, ,downloads ", LIBRARY_DIRS=os.pathsep.join(["/a", "/b,/c"]))
    assert load().items("LLM_ALLOW") == ("openai", "downloads")
    assert load().items("LIBRARY_DIRS") == ("/a", "/b", "/c")


# -- the endpoint and its key


@pytest.mark.parametrize("layer", LAYERS)
def test_endpoint_and_key_of_one_layer(home, monkeypatch, layer):
    texts = {"LLM_BASE_URL": "http://127.0.0.1:4000", "LLM_API_KEY": KEY}
    if layer == "panel":
        for name, text in texts.items():
            override(name, text)
    elif layer == "web UI settings":
        use_host_settings(layer, lambda: texts)
    elif layer == "environment":
        for name, text in texts.items():
            monkeypatch.setenv(name, text)
    else:
        mark = "=" if layer == ".env" else ": "
        write(home, layer, "\n".join(f"{name}{mark}{text}" for name, text in texts.items()))
    address, key = load().endpoint()
    assert (address.text, address.origin) == ("http://127.0.0.1:4000", layer)
    assert key == Secret(KEY)


@pytest.mark.parametrize("alias", ["LLM_API_KEY", "LITELLM_API_KEY"])
def test_a_key_is_not_sent_to_an_address_of_another_layer(home, env, caplog, alias):
    env(**{alias: KEY})
    write(home, ".env", "LLM_BASE_URL=http://elsewhere.example\n")
    address, key = load().endpoint()
    assert (address.origin, key) == (".env", None)
    assert "is not sent" in caplog.text
    assert KEY not in caplog.text


def test_no_endpoint(home, env):
    env(LLM_API_KEY=KEY)
    assert load().endpoint() is None


def test_the_switch_of_the_proxy(home, env):
    env(LITELLM_ENABLED="true", LITELLM_API_KEY=KEY)
    address, key = load().endpoint()
    assert (address.text, address.origin, key) == ("http://localhost:4000", "environment", Secret(KEY))
    mode = load().mode()
    assert (mode.text, mode.origin, mode.name) == ("litellm", "environment", "LITELLM_ENABLED")


def test_the_switch_gives_way_to_the_new_names(home, env):
    env(LITELLM_ENABLED="1", LLM_MODE="gguf", LLM_BASE_URL="http://127.0.0.1:9")
    assert load().mode().text == "gguf"
    assert load().endpoint()[0].text == "http://127.0.0.1:9"


@pytest.mark.parametrize("off", ["0", "false", "no"])
def test_a_switch_that_is_off(home, env, off):
    write(home, ".env", "LITELLM_ENABLED=1\n")
    env(LITELLM_ENABLED=off)
    assert load().endpoint() is None
    assert load().mode().text == "auto"


@pytest.mark.parametrize("off", ["0", "false", "no"])
def test_a_switch_that_is_off_takes_the_proxys_address_and_key_with_it(home, env, off):
    env(LITELLM_ENABLED=off, LITELLM_BASE_URL="http://127.0.0.1:4000", LITELLM_API_KEY=KEY)
    assert load().endpoint() is None
    assert load().mode().text == "auto"
    write(home, ".env", "LLM_BASE_URL=http://127.0.0.1:9\n")
    address, key = load().endpoint()
    assert (address.text, address.origin, key) == ("http://127.0.0.1:9", ".env", None)
    env(LLM_BASE_URL="http://127.0.0.1:8")
    address, key = load().endpoint()
    assert (address.text, key) == ("http://127.0.0.1:8", None), "the proxy's key is no other server's"


def test_providers_variables_come_from_the_environment_and_dot_env(home, env):
    write(home, ".env", "OPENAI_API_KEY=from-file\nGROQ_API_KEY=from-file\n")
    write(home, "quillwork.yaml", "MISTRAL_API_KEY: from-yaml\n")
    env(OPENAI_API_KEY="from-environment")
    variables = load().environment()
    assert variables["OPENAI_API_KEY"] == "from-environment"
    assert variables["GROQ_API_KEY"] == "from-file"


def test_other_programs_names_of_a_providers_variables(home, env):
    write(home, ".env", "OLLAMA_BASE_URL=http://127.0.0.1:1\nGROQ_API_KEY=fox\n")
    assert load().environment()["OLLAMA_API_BASE"] == "http://127.0.0.1:1"
    env(OLLAMA_BASE_URL="http://127.0.0.1:2")
    assert load().environment()["OLLAMA_API_BASE"] == "http://127.0.0.1:2"
    env(OLLAMA_API_BASE="http://127.0.0.1:3", GROQ_API_KEY="")
    assert load().environment()["OLLAMA_API_BASE"] == "http://127.0.0.1:3"
    assert load().environment()["GROQ_API_KEY"] == "fox", "an empty variable is none"


# -- shown to people


def test_describe_shows_values_and_origins_and_no_secret(home, env):
    env(LLM_MODEL="fox", LLM_API_KEY=KEY, LLM_SERVICE_TOKEN=KEY, LLM_PROXY_TOKEN=KEY, LITELLM_ENABLED="1")
    rows = {row["name"]: row for row in load().describe()}
    assert list(rows) == list(VARIABLES)
    assert (rows["LLM_MODEL"]["value"], rows["LLM_MODEL"]["origin"]) == ("fox", "environment")
    assert rows["LLM_MODE"]["value"] == "litellm"
    assert rows["LLM_API_KEY"]["value"] == "***"
    assert KEY not in str(rows)
    assert all(row["meaning"] for row in rows.values())


def test_what_the_panel_may_write_is_nothing_dangerous():
    writable = {name for name, variable in VARIABLES.items() if variable.writable}
    assert writable == {"LLM_MODE", "LLM_MODEL", "LLM_MODEL_PROMPT_GEN", "LLM_MODEL_CHAT", "LLM_TIMEOUT_MS"}


def test_the_settings_of_the_design_are_there():
    named = (
        "LLM_MODE LLM_MODEL LLM_MODEL_PROMPT_GEN LLM_MODEL_CHAT LLM_REPO LLM_PATH LLM_GGUF_FILE LLM_BASE_URL "
        "LLM_API_KEY LLM_TIMEOUT_MS LLM_MAX_CONCURRENCY LLM_CACHE LLM_ALLOW LLM_PLAN LLM_PLAN_MODELS_JSON "
        "LLM_PLAN_SHOW_LOCKED LLM_ENABLE_OPENAI_PROXY LLM_PROXY_TOKEN LLM_SERVICE_TOKEN LLM_ALLOWED_HOSTS "
        "LLM_CALLBACKS LOCAL_LIBRARY_DIR LIBRARY_DIRS"
    )
    assert set(named.split()) <= set(VARIABLES)


def test_a_warning_is_given_once(home, caplog):
    for _ in range(3):
        values.warn_once("only once")
    assert caplog.text.count("only once") == 1
