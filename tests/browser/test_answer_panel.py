"""The panel on the node: live text, the answer that stays, notes, and nothing of it in what is sent."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

ANSWER = "a red fox in fresh snow, low golden light, quiet woods, long shadows, soft focus"


class TestStreaming:
    def test_text_grows_while_it_is_written_and_stays(self, comfy, wire):
        wire.script("*", ANSWER)
        node = comfy.enhance(llm_model="fox-gap80", target="plain")
        comfy.start()
        comfy.wait(
            "() => { const text = document.querySelector('.quillwork-text').value; "
            "return text.startsWith('a red fox') && !text.endsWith('focus'); }"
        )
        assert comfy.panels().is_visible()
        assert comfy.wait_end()[0] == "execution_success"
        assert comfy.shown(node) == ANSWER

    def test_no_second_display_of_the_same_text(self, comfy, wire):
        wire.script("*", f"{ANSWER} and more and more")
        node = comfy.enhance(llm_model="fox-gap150", target="plain")
        comfy.start()
        comfy.wait(f"() => document.querySelector('.quillwork-text').value.startsWith('{ANSWER[:30]}')")
        # The host draws what it has a moment later.
        comfy.page.wait_for_timeout(500)
        for place in (f"[data-node-id='{node}']", ".dom-widget"):
            shown = comfy.page.locator(f"{place}:visible").get_by_text(ANSWER[:30])
            assert shown.filter(visible=True).count() == 0
        comfy.wait_end()

    def test_panel_is_there_run_after_run(self, comfy, wire):
        wire.script("*", ["the first text", "the second text"])
        node = comfy.enhance(llm_model="fox-gap30")
        for seed, text in enumerate(("the first text", "the second text")):
            comfy.set(node, "seed", seed)
            assert comfy.run()[0] == "execution_success"
            # Some frontends tidy a node up once the run is over.
            comfy.page.wait_for_timeout(500)
            assert comfy.shown(node) == text
            assert comfy.panels().is_visible()
            assert comfy.panels().input_value() == text

    def test_markup_stays_text(self, comfy, wire):
        comfy.needs((1, 43), "the host's own display of progress text fetches the picture")
        answer = "a fox <img src=x onerror=window.pwned=1> _slanted_ [a](b) c"
        wire.script("*", answer)
        node = comfy.enhance(llm_model="fox-gap20", prompt="a fox <lora:fox:1>")
        comfy.run()
        assert comfy.shown(node) == f"{answer} <lora:fox:1>"
        assert comfy.page.evaluate("() => window.pwned") is None
        assert comfy.page.locator(".quillwork-answer img").count() == 0

    def test_two_nodes_show_each_their_own(self, comfy, wire):
        wire.script("fox-one*", "the first text")
        wire.script("fox-two*", "the second text")
        one = comfy.enhance(llm_model="fox-one-gap30")
        two = comfy.enhance("an owl", llm_model="fox-two-gap30", at=(120, 700))
        comfy.run()
        assert (comfy.shown(one), comfy.shown(two)) == ("the first text", "the second text")

    def test_variations_are_numbered(self, comfy, wire):
        wire.script("*", ["first text", "second text"])
        node = comfy.enhance(variations=2)
        comfy.run()
        texts = sorted(part[3:] for part in comfy.shown(node).split("\n\n"))
        assert comfy.shown(node).startswith("1. ")
        assert "\n\n2. " in comfy.shown(node)
        assert texts == ["first text", "second text"]

    def test_values_one_a_line(self, comfy, wire):
        wire.script("*", '{"values": ["red", "green", "blue"]}')
        node = comfy.add("QuillworkGenerateVariables", name="colour", count=3)
        assert comfy.run()[0] == "execution_success"
        assert comfy.shown(node) == "red\ngreen\nblue"

    def test_resolved_prompts(self, comfy):
        node = comfy.add("QuillworkResolveVariables", template="a {red|red} fox")
        assert comfy.run()[0] == "execution_success"
        assert comfy.shown(node) == "a red fox"

    def test_empty_node_says_what_will_come(self, comfy):
        comfy.enhance()
        panel = comfy.panels()
        assert panel.get_attribute("placeholder") == "The prompt appears here as it is written."
        assert panel.get_attribute("aria-label") == "Enhance Prompt: answer"
        assert panel.get_attribute("readonly") is not None
        assert panel.bounding_box()["height"] > 40


class TestKeeping:
    def test_saved_workflow_shows_it_again(self, comfy, wire):
        wire.script("*", ANSWER)
        node = comfy.enhance()
        comfy.run()
        workflow = comfy.saved()
        comfy.new_workflow()
        comfy.load(workflow)
        assert comfy.shown(node) == ANSWER
        kept = comfy.of(node, "node.properties.quillwork")
        assert kept["texts"] == [ANSWER]
        assert kept["mode"] == "litellm"
        assert kept["model"] == "fox"
        assert kept["seed"] == 0
        assert "info" not in kept

    def test_reloaded_page_shows_it_again(self, comfy, wire):
        wire.script("*", ANSWER)
        node = comfy.enhance()
        comfy.run()
        workflow = comfy.saved()
        comfy.open()
        comfy.load(workflow)
        comfy.wait("() => document.querySelector('.quillwork-text')")
        assert comfy.shown(node) == ANSWER
        assert comfy.panels().is_visible()

    def test_copy_keeps_its_own_panel(self, comfy, wire):
        wire.script("*", ["the first text", "the second text"])
        node = comfy.add("QuillworkEnhancePrompt", prompt="a fox")
        comfy.run()
        comfy.of(node, "app.canvas.selectItems([node])")
        comfy.page.evaluate("() => { app.canvas.copyToClipboard(); app.canvas.pasteFromClipboard(); }")
        copy = comfy.page.evaluate("() => String(app.graph.nodes.at(-1).id)")
        assert copy != node
        assert comfy.shown(copy) == "the first text"
        comfy.of(node, "app.graph.remove(node)")
        comfy.set(copy, "prompt", "an owl")
        comfy.run()
        assert comfy.shown(copy) == "the second text"

    def test_cached_run_shows_it_too(self, comfy, wire):
        wire.script("*", ["the first text", "the second text"])
        node = comfy.enhance()
        comfy.run()
        comfy.run()
        assert len(wire.calls()) == 1
        assert comfy.shown(node) == "the first text"


class TestWhatIsSent:
    def test_prompt_has_the_inputs_and_no_more(self, comfy, wire):
        wire.script("*", ANSWER)
        node = comfy.enhance()
        comfy.run()
        inputs = list(comfy.prompt()[node]["inputs"])
        assert inputs == [
            "prompt",
            "instruction",
            "target",
            "variations",
            "seed",
            "llm_mode",
            "llm_model",
            "on_error",
            "freeze",
            "frozen",
            "duration",
            "aspect",
            "language",
            "reference_roles",
        ]
        assert comfy.of(node, "node.widgets.filter((one) => one.serialize !== false).length") == len(
            comfy.saved()["nodes"][0]["widgets_values"]
        )
        assert ANSWER not in comfy.saved()["nodes"][0]["widgets_values"]

    def test_running_changes_nothing_that_the_cache_looks_at(self, comfy):
        node = comfy.enhance()
        before = comfy.prompt()[node]
        comfy.run()
        assert comfy.prompt()[node] == before
        assert comfy.widget(node, "frozen") == ""


class TestBypass:
    """Bypass is `mode` 4. Downstream stands a text encoder, as in a user's workflow, and a preview."""

    def build(self, comfy, **values):
        node = comfy.enhance("as it is", **values)
        positive = comfy.add("TestpackUpper", (620, 400))
        negative = comfy.add("TestpackUpper", (620, 560))
        for output, target in ((0, positive), (1, negative)):
            slot = comfy.of(target, "node.inputs.findIndex((input) => input.name === 'text')")
            comfy.link(node, output, target, slot)
        comfy.of(node, "void (node.mode = 4)")
        return node, positive, negative

    def test_typed_prompt_is_passed_on(self, comfy, wire):
        node, positive, negative = self.build(comfy)
        prompt = comfy.prompt()
        assert node not in prompt
        assert prompt[positive]["inputs"]["text"] == "as it is"
        assert prompt[negative]["inputs"]["text"] == ""
        (preview,) = (entry for entry in prompt.values() if entry["class_type"] == "PreviewAny")
        assert preview["inputs"]["source"] == "as it is"
        assert comfy.run()[0] == "execution_success"
        assert wire.calls() == []

    def test_wired_prompt_is_passed_on(self, comfy):
        node, positive, negative = self.build(comfy)
        source = comfy.add("TestpackUpper", (120, 900), text="from elsewhere")
        comfy.link(
            source, 0, node, comfy.of(node, "node.inputs.findIndex((input) => input.name === 'prompt')")
        )
        prompt = comfy.prompt()
        assert prompt[positive]["inputs"]["text"] == [source, 0]
        assert prompt[negative]["inputs"]["text"] == ""
        (preview,) = (entry for entry in prompt.values() if entry["class_type"] == "PreviewAny")
        assert preview["inputs"]["source"] == [source, 0]

    def test_within_a_subgraph(self, comfy):
        node, positive, _ = self.build(comfy)
        comfy.of(
            node, "void app.graph.convertToSubgraph(new Set([node, app.graph.getNodeById(it)]))", positive
        )
        texts = [entry["inputs"].get("text") for key, entry in comfy.prompt().items() if ":" in key]
        assert texts == ["as it is"]

    def test_a_node_that_runs_is_left_alone(self, comfy):
        node, positive, _ = self.build(comfy)
        comfy.of(node, "void (node.mode = 0)")
        assert comfy.prompt()[positive]["inputs"]["text"] == [node, 0]


class TestNotes:
    def test_error_stands_above_the_former_text(self, comfy, wire):
        wire.script("*", ANSWER)
        node = comfy.enhance()
        comfy.run()
        comfy.set(node, "llm_model", "fox-status401")
        kind, detail = comfy.run()
        assert kind == "execution_error"
        text, colour = comfy.note(node)
        assert text == detail["exception_message"].strip()
        assert colour == "error"
        assert comfy.shown(node) == ANSWER
        comfy.set(node, "llm_model", "fox")
        comfy.set(node, "seed", 5)
        comfy.run()
        assert comfy.note(node)[0] == ""

    def test_warning_is_told(self, comfy, wire):
        node = comfy.enhance(llm_model="fox-status500", on_error="passthrough")
        comfy.run()
        text, colour = comfy.note(node)
        assert "500" in text
        assert colour == "warning"
        assert comfy.shown(node) == "a fox in the snow"
        note = comfy.page.locator(".quillwork-note:visible")
        assert note.get_attribute("role") == "status"

    def test_markup_in_a_warning_stays_text(self, comfy):
        node = comfy.enhance(llm_mode="phrasebook")
        comfy.run()
        warning = "<img src=x onerror=window.pwned=1> is not a model"
        record = {"texts": ["x"], "mode": "litellm", "info": {"warnings": [warning]}, "notice": ""}
        comfy.tell("executed", {"node": node, "output": {"quillwork": [record]}})
        assert comfy.note(node) == (warning, "warning")
        assert comfy.page.locator(".quillwork-answer img").count() == 0
        error = {"node_id": node, "exception_message": f"{warning}\n", "traceback": []}
        comfy.tell("execution_error", error)
        assert comfy.note(node) == (warning, "error")
        assert comfy.page.evaluate("() => window.pwned") is None

    def test_stop_keeps_what_was_there(self, comfy, wire):
        wire.script("*", ANSWER)
        node = comfy.enhance(llm_model="fox")
        comfy.run()
        comfy.set(node, "llm_model", "fox-babble-gap50")
        comfy.start()
        comfy.wait("() => document.querySelector('.quillwork-text').value.startsWith('snow 0 snow 1')")
        comfy.page.evaluate("() => app.api.interrupt()")
        assert comfy.wait_end()[0] == "execution_interrupted"
        assert comfy.note(node)[0] == "Stopped before it was finished."
        assert comfy.shown(node) == ANSWER

    def test_failure_of_another_node_stops_this_one(self, comfy, wire):
        failing = comfy.enhance(llm_model="fox-delay1500-status401")
        writing = comfy.enhance("an owl", llm_model="fox-babble-gap50", at=(120, 900))
        assert comfy.run()[0] == "execution_error"
        assert comfy.note(failing)[1] == "error"
        assert comfy.note(writing)[0] == "Stopped before it was finished."
        assert comfy.shown(writing).startswith("snow 0 snow 1")

    def test_phrasebook_says_that_there_is_no_model(self, unset):
        node = unset.enhance()
        unset.page.locator("dialog.quillwork-dialog").wait_for()
        unset.page.keyboard.press("Escape")
        unset.run()
        text, _ = unset.note(node)
        assert text.startswith("Phrasebook: no model")
        assert "Phrasebook: no model" in unset.badges(node)
        workflow = unset.saved()
        unset.new_workflow()
        unset.load(workflow)
        assert "Phrasebook: no model" in unset.badges(node)

    def test_a_phrasebook_that_was_chosen_lacks_nothing(self, comfy):
        node = comfy.enhance(llm_mode="phrasebook")
        assert comfy.run()[0] == "execution_success"
        assert comfy.note(node)[0] == ""
        assert "Phrasebook: no model" not in comfy.badges(node)
