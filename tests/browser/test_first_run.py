"""The choice of a model: once by itself, dismissible, and whenever it is opened; and consent."""

from __future__ import annotations

import json

import pytest
from wire.lists import list_server

from quillwork.llm_backends import errors
from quillwork.llm_backends.host import NullHost
from quillwork.llm_backends.local.hub.access import HubAccess
from quillwork.llm_backends.local.hub.download import download
from quillwork.llm_backends.types import Deployment

pytestmark = pytest.mark.browser

ENHANCE = "QuillworkEnhancePrompt"
# A dialog lies beside the graph: it is the same in both renderers.
in_one_renderer = pytest.mark.parametrize("renderer", ["canvas"], scope="session")


def dialog(page):
    return page.page.locator("dialog.quillwork-dialog")


def configuration(page):
    return page.host.get("/quillwork/config").json()


def choose(page, value):
    dialog(page).locator(f"input[value={value}]").check()


def use(page):
    return dialog(page).get_by_role("button", name="Use this")


def servers_found(page, *servers):
    """Have the host find `servers` and no others of this machine."""
    found = json.dumps({"servers": [{"label": label, "address": address} for label, address in servers]})
    page.page.route("**/quillwork/server/find", lambda route: route.fulfill(json=json.loads(found)))


@in_one_renderer
def test_what_is_there_already_comes_first_and_takes_one_click(unset):
    with list_server() as lists:
        lists.answers = {"/v1/models": {"data": [{"id": "fox-8b"}, {"id": "owl-4b"}]}}
        servers_found(unset, ("LM Studio", f"{lists.url}/v1"), ("vLLM", "http://127.0.0.1:9/v1"))
        unset.command("Quillwork.Setup")
        radios = dialog(unset).locator("input[type=radio]")
        radios.first.wait_for()
        values = radios.evaluate_all("all => all.map((one) => one.value)")
        assert values == ["found-0", "ollama", "server", "local", "encoder", "cloud", "none"]
        assert "LM Studio on this machine\nFound, with 2 models." in dialog(unset).inner_text()
        dialog(unset).get_by_label("Model", exact=True).first.select_option("owl-4b")
        use(unset).click()
        dialog(unset).wait_for(state="detached")
    settings = {one["name"]: one["value"] for one in configuration(unset)["settings"]}
    assert (settings["LLM_BASE_URL"], settings["LLM_MODEL"]) == (f"{lists.url}/v1", "owl-4b")


@in_one_renderer
def test_an_encoder_that_can_write_comes_first_where_it_is_connected(unset):
    servers_found(unset)
    unset.page.evaluate(
        """() => {
          const loader = LiteGraph.createNode("PreviewAny");
          app.graph.add(loader);
          const node = LiteGraph.createNode("QuillworkEnhancePrompt");
          app.graph.add(node);
          loader.addWidget("text", "clip_name", "qwen_3_4b.safetensors", () => {});
          loader.addOutput("CLIP", "CLIP");
          const place = node.inputs.findIndex(({ name }) => name === "clip");
          loader.connect(loader.outputs.length - 1, node, place);
        }"""
    )
    unset.command("Quillwork.Setup")
    first = dialog(unset).locator("input[type=radio]").first
    first.wait_for()
    assert first.get_attribute("value") == "encoder"
    use(unset).click()
    dialog(unset).wait_for(state="detached")
    assert configuration(unset)["effective"]["mode"] == "host_encoder"


@in_one_renderer
@pytest.mark.parametrize(
    ("device", "size", "told"),
    [
        (
            {"type": "cuda", "vram_total": 8e9, "vram_free": 3.1e9},
            "small",
            "3.1 GB of GPU memory are free now",
        ),
        ({"type": "cuda", "vram_total": 24e9, "vram_free": 23e9}, "standard", "23.0 GB"),
        ({"type": "cpu", "vram_total": 64e9, "vram_free": 60e9}, "tiny", "runs on the CPU here"),
    ],
)
def test_the_size_that_fits_is_chosen(unset, device, size, told):
    servers_found(unset)
    unset.page.route("**/system_stats", lambda route: route.fulfill(json={"system": {}, "devices": [device]}))
    unset.command("Quillwork.Setup")
    choose(unset, "local")
    sizes = dialog(unset).get_by_label("Size of the model")
    assert sizes.input_value() == size
    assert told in dialog(unset).inner_text()
    sizes.select_option("large")
    dialog(unset).get_by_label("Yes, download about 6.2 GB on first use").check()
    use(unset).click()
    dialog(unset).wait_for(state="detached")
    settings = {one["name"]: one["value"] for one in configuration(unset)["settings"]}
    assert settings["LLM_MODEL"] == "unsloth/Qwen3-8B-bnb-4bit"


def test_comes_once_and_never_by_itself_again(unset):
    servers_found(unset)
    assert dialog(unset).count() == 0
    node = unset.add(ENHANCE, prompt="a fox")
    dialog(unset).locator("input[type=radio]").first.wait_for()
    assert dialog(unset).locator("input[type=radio]").count() == 6
    assert use(unset).is_disabled()
    unset.page.keyboard.press("Escape")
    dialog(unset).wait_for(state="detached")
    unset.add(ENHANCE, (700, 160))
    unset.page.wait_for_timeout(500)
    assert dialog(unset).count() == 0
    unset.open()
    unset.new_workflow()
    node = unset.add(ENHANCE, prompt="a fox")
    unset.page.wait_for_timeout(800)
    assert dialog(unset).count() == 0

    # Opened from the notice on the node, by keyboard.
    assert unset.run()[0] == "execution_success"
    called = unset.page.locator(".quillwork-choose:visible")
    called.focus()
    unset.page.keyboard.press("Enter")
    dialog(unset).locator("input[type=radio]").first.wait_for()
    assert dialog(unset).get_attribute("aria-labelledby")
    # The focus stays inside.
    for _ in range(12):
        unset.page.keyboard.press("Tab")
        assert unset.page.evaluate("() => !document.activeElement.closest('.graph-canvas-container')")
    choose(unset, "none")
    use(unset).click()
    dialog(unset).wait_for(state="detached")
    settings = {one["name"]: one for one in configuration(unset)["settings"]}
    assert (settings["LLM_MODE"]["value"], settings["LLM_MODE"]["origin"]) == ("phrasebook", "panel")
    assert node in unset.prompt()

    # Opened from the settings page; the key goes to the host and nowhere else.
    unset.open_settings().get_by_role("button", name="Choose a model …").click()
    choose(unset, "local")
    assert use(unset).is_disabled()
    assert "2.7 GB" in dialog(unset).inner_text()
    choose(unset, "encoder")
    use(unset).click()
    dialog(unset).wait_for(state="detached")
    assert configuration(unset)["effective"]["mode"] == "host_encoder"


@in_one_renderer
def test_cloud_provider_with_a_key(unset):
    unset.command("Quillwork.Setup")
    choose(unset, "cloud")
    box = dialog(unset)
    provider, model = (box.get_by_role("combobox", name=name) for name in ("Provider", "Model"))
    assert provider.get_attribute("role") == "combobox"
    # By keyboard: entering the field selects what it holds, and Enter takes the first that is found.
    for typed, label, chosen in (
        ("anthr", "Anthropic", "anthropic/claude-haiku-4-5"),
        ("doubao", "Volcengine (Doubao)", None),
        ("hf", "Hugging Face", None),
    ):
        provider.focus()
        provider.press_sequentially(typed)
        unset.page.keyboard.press("Enter")
        assert provider.input_value() == label
        assert chosen in (None, model.input_value())
        model.focus()
    # Bedrock has no free check: no call leaves this machine.
    provider.focus()
    provider.press_sequentially("aws")
    unset.page.keyboard.press("Enter")
    assert provider.input_value() == "Amazon Bedrock"
    model.focus()
    provider.focus()
    provider.press_sequentially("no such one")
    box.get_by_text("No provider matches.").wait_for()
    unset.page.keyboard.press("Escape")
    assert box.is_visible(), "only the list closes"
    model.focus()
    assert provider.input_value() == "Amazon Bedrock"
    assert use(unset).is_disabled()
    box.get_by_label("Key", exact=True).fill("two words")
    use(unset).click()
    box.locator("[role=alert]:not(:empty)").wait_for()
    assert box.is_visible()
    unset.forgive("status of 400")
    assert "bedrock" not in json.dumps(configuration(unset)["settings"])
    link = box.locator(".quillwork-choice a:visible")
    assert link.get_attribute("href").startswith("https://")
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_workflow_that_wants_a_provider_asks_first(unset):
    unset.host.post("/settings/Quillwork.FirstRun.Seen", json=True)
    unset.open()
    unset.new_workflow()
    node = unset.enhance(llm_model="openai/gpt-5-mini")
    kind, detail = unset.run()
    assert kind == "execution_error"
    assert detail["exception_type"].endswith("ConsentNeeded")
    question = unset.page.get_by_role("dialog").filter(has_text="Allow this on this machine?")
    question.wait_for()
    assert "OpenAI" in question.inner_text()
    question.get_by_role("button", name="Confirm").click()
    again = unset.page.get_by_role("dialog").filter(has_text="Run again?")
    again.wait_for()
    assert configuration(unset)["allowed"] == ["openai"]
    unset.page.evaluate("() => { window.ends.length = 0; }")
    again.get_by_role("button", name="Confirm").click()
    kind, detail = unset.wait_end()
    # Now only the key is missing; no question comes for that.
    assert detail["exception_type"].endswith("MissingKey")
    assert "OPENAI_API_KEY" in unset.note(node)[0]
    unset.page.wait_for_timeout(300)
    assert unset.page.get_by_role("dialog").filter(has_text="Allow this").count() == 0
    # The sentence stands on the node, and where the host reports errors: a toast would cover that.
    assert unset.page.locator(".p-toast-message").filter(has_text="OPENAI_API_KEY").count() == 0


@in_one_renderer
def test_workflow_that_wants_a_download_asks_first(unset):
    """The refusal is ours but the run is simulated: the packages of a local model need not be here."""
    wanted = Deployment("hf_download", "org/fox-4bit", params={"models_folder": "models", "hub": HubAccess()})
    with pytest.raises(errors.ConsentNeeded) as refused:
        download(wanted, "org/fox-4bit", "", None, None, NullHost())
    said = {
        "node_id": unset.enhance(),
        "node_type": ENHANCE,
        "exception_type": "quillwork.llm_backends.errors.ConsentNeeded",
        "exception_message": f"4 of 4 prompts failed. {refused.value}\n",
        "traceback": [],
    }
    # The choice of a model, which the first node brings, would lie over the question: it comes afterwards.
    dialog(unset).locator("input[type=radio]").first.wait_for()
    unset.tell("execution_error", said)
    question = unset.page.get_by_role("dialog").filter(has_text="Allow this on this machine?")
    unset.page.wait_for_timeout(300)
    assert question.count() == 0
    unset.page.keyboard.press("Escape")
    question.wait_for()
    assert "org/fox-4bit is not downloaded yet" in question.inner_text()
    assert "several gigabytes" in question.inner_text()
    assert "--allow" not in question.inner_text()
    question.get_by_role("button", name="Confirm").click()
    unset.page.get_by_role("dialog").filter(has_text="Run again?").wait_for()
    assert configuration(unset)["allowed"] == ["downloads"]
