"""Tabs, subgraphs and badges: each event reaches the node that it is for."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


ENHANCE = "QuillworkEnhancePrompt"


def open_subgraph(comfy):
    comfy.page.evaluate(
        "() => { const outer = app.graph.nodes.find((one) => one.subgraph);"
        " app.canvas.openSubgraph(outer.subgraph, outer); }"
    )
    comfy.wait("() => app.canvas.graph !== app.rootGraph && document.querySelector('.quillwork-text')")


class TestTabs:
    def test_run_of_another_tab_is_not_shown_here(self, comfy, wire):
        wire.script("*", "the text of the first tab")
        node = comfy.enhance(llm_model="fox-gap100")
        first = comfy.graph_id()
        comfy.start()
        comfy.wait("() => document.querySelector('.quillwork-text').value.startsWith('the text')")
        comfy.new_workflow()
        other = comfy.enhance("an owl")
        # A user's own click has an older frontend note what is in the tab.
        comfy.page.evaluate("() => app.extensionManager.workflow.activeWorkflow.changeTracker.checkState?.()")
        assert other == node
        comfy.wait_end()
        assert comfy.shown(other) == ""
        assert "quillwork" not in comfy.of(other, "node.properties")
        # Back in the first tab, the answer that came meanwhile is there, and stays there.
        for _ in range(2):
            assert comfy.open_tab("Previous") == first
            assert comfy.shown(node) == "the text of the first tab"
            assert comfy.open_tab("Next") != first
            assert comfy.shown(other) == ""

    def test_answer_of_before_is_there_again(self, comfy, wire):
        wire.script("*", "the text of the first tab")
        node = comfy.enhance()
        first = comfy.graph_id()
        comfy.run()
        comfy.new_workflow()
        comfy.enhance("an owl")
        assert comfy.open_tab("Previous") == first
        assert comfy.shown(node) == "the text of the first tab"


class TestSubgraphs:
    def test_node_inside_shows_its_text(self, comfy, wire):
        wire.script("*", "the text of the inner node")
        node = comfy.enhance(llm_model="fox-gap50")
        comfy.of(node, "void app.graph.convertToSubgraph(new Set([node]))")
        inner = "app.rootGraph.nodes.find((one) => one.subgraph).subgraph.nodes[0]"
        panel = f"{inner}.widgets.find(({{name}}) => name === 'quillwork_answer')"
        text = f"{panel}.element.querySelector('.quillwork-text').value"
        comfy.run()
        assert comfy.page.evaluate(f"() => {text}") == "the text of the inner node"
        assert comfy.page.evaluate(f"() => {inner}.properties.quillwork.texts") == [
            "the text of the inner node"
        ]

    def test_open_subgraph_shows_it_live(self, comfy, wire):
        wire.script("*", "the text of the inner node is long enough")
        node = comfy.enhance(llm_model="fox-gap100")
        comfy.of(node, "void app.graph.convertToSubgraph(new Set([node]))")
        open_subgraph(comfy)
        comfy.start()
        comfy.wait("() => document.querySelector('.quillwork-text')?.value.startsWith('the text')")
        assert comfy.panels().is_visible()
        comfy.wait_end()
        comfy.page.evaluate("() => app.canvas.setGraph(app.rootGraph)")

    def test_outer_text_does_not_reach_the_inner_node_of_the_same_id(self, comfy):
        inner = comfy.enhance()
        comfy.of(inner, "void app.graph.convertToSubgraph(new Set([node]))")
        open_subgraph(comfy)
        assert comfy.page.evaluate("(id) => app.canvas.graph.getNodeById(id).type", inner) == ENHANCE
        comfy.tell("progress_text", {"nodeId": inner, "text": "of a node outside"})
        assert comfy.page.locator(".quillwork-text").input_value() == ""
        comfy.page.evaluate("() => app.canvas.setGraph(app.rootGraph)")


class TestBadges:
    def test_who_wrote_and_what_it_took(self, comfy, wire):
        node = comfy.enhance()
        comfy.run()
        (badge,) = [text for text in comfy.badges(node) if "tok" in text]
        assert badge.endswith(" · 18 tok")
        if comfy.renderer == "nodes2":
            comfy.page.get_by_text(badge).wait_for()
            record = {"texts": ["x"], "provider": "fox", "info": {"prompt_tokens": 3}}
            comfy.tell("executed", {"node": node, "output": {"quillwork": [record]}})
            comfy.page.get_by_text("fox · 3 tok").wait_for()

    @pytest.mark.parametrize(
        ("cost", "end"),
        [(0.0004, " · $0.0004"), (0.5, " · $0.50"), (0.0, " · 312 tok"), (None, " · 312 tok")],
    )
    def test_cost(self, comfy, cost, end):
        node = comfy.enhance(llm_mode="phrasebook")
        comfy.run()
        info = {"prompt_tokens": 300, "completion_tokens": 12, "cost_usd": cost, "warnings": []}
        payload = {"kind": "enhance", "texts": ["x"], "mode": "litellm", "provider": "openai", "info": info}
        output = {"quillwork": [{**payload, "notice": ""}]}
        comfy.tell("executed", {"node": node, "display_node": node, "output": output, "prompt_id": "p"})
        assert comfy.badges(node)[-1] == f"openai · 312 tok{end.removeprefix(' · 312 tok')}"

    def test_a_fault_in_drawing_costs_the_badge_alone(self, comfy):
        node = comfy.enhance(llm_mode="phrasebook")
        comfy.run()
        assert len(comfy.badges(node)) >= 1
        broken = """void Object.defineProperty(
            node.widgets.find(({name}) => name === 'quillwork_answer'), 'label',
            {get() { throw new Error('drawn'); }, set() {}, configurable: true})"""
        comfy.of(node, broken)
        assert "Phrasebook: no model" not in comfy.badges(node)
        comfy.page.evaluate("() => app.canvas.draw(true, true)")
        comfy.set(node, "seed", 7)
        assert comfy.run()[0] == "execution_success"
        (fault,) = comfy.faults
        assert "Error: drawn" in fault
        comfy.faults.clear()


def test_events_without_their_data_do_no_harm(comfy):
    comfy.enhance()
    comfy.page.evaluate(
        """() => {
            const kinds = ['executing', 'progress_text', 'executed', 'execution_error',
                'execution_interrupted'];
            // The host itself cannot do without these.
            const hosts = {traceback: [], exception_type: '', exception_message: ''};
            for (const kind of kinds)
                for (const detail of [{}, {node: 'x:y:z', nodeId: '9:9', node_id: '77'}])
                    app.api.dispatchCustomEvent(kind, {...detail, ...hosts});
        }"""
    )


def test_a_frontend_that_lacks_much_does_no_harm(comfy):
    """On nodes without the parts that newer frontends give them, nothing is shown and nothing is thrown."""
    comfy.page.evaluate(
        """() => {
            const ours = app.extensions.find((one) => one.name === 'Quillwork');
            const comfyClass = 'QuillworkEnhancePrompt';
            ours.nodeCreated({});
            ours.nodeCreated({comfyClass});
            ours.nodeCreated({comfyClass, widgets: [{name: 'freeze'}, {name: 'frozen'}], badges: []});
            const bare = {comfyClass, id: 1, widgets: [], properties: {}, addDOMWidget: () => ({})};
            ours.nodeCreated(bare);
            bare.properties.quillwork = {texts: ['a']};
            bare.onConfigure({});
            ours.refreshComboInNodes();
            ours.afterConfigureGraph();
        }"""
    )
