"""Values and parts handed on from node to node, wired with the mouse."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.browser

SLOT = """(() => {
    const slots = node[it[0]];
    const place = slots.findIndex(({name}) => name === it[1]);
    const at = it[0] === 'inputs' ? node.getInputPos(place) : node.getOutputPos(place);
    return app.canvasPosToClientPos(at);
})()"""

HAS = "([id, it]) => app.rootGraph.getNodeById(id).inputs.some(({name}) => name === it)"


def drag(comfy, source, output, target, name):
    """Pull a wire from one socket to the other."""
    comfy.page.wait_for_timeout(800)
    comfy.page.mouse.move(*comfy.of(source, SLOT, ["outputs", output]))
    comfy.page.mouse.down()
    comfy.page.mouse.move(*comfy.of(target, SLOT, ["inputs", name]), steps=8)
    comfy.page.mouse.up()


def rows(comfy, node):
    inputs = comfy.of(node, "node.inputs.map(({name, link}) => [name, link != null])")
    return [[name, wired] for name, wired in inputs if name.startswith("values.")]


def test_each_wire_brings_another_socket_and_all_are_used(comfy, wire):
    answers = {"fabric": ["wool", "silk"], "hue": ["red", "blue"]}

    def answer(asked):
        name = "hue" if "hue" in asked["messages"][-1]["content"] else "fabric"
        return json.dumps({"values": answers[name]})

    wire.script("*", answer)
    target = comfy.add(
        "QuillworkResolveVariables",
        (520, 200),
        template="__hue__ __fabric__",
        selection="combinations",
        count=4,
    )
    fabric = comfy.add("QuillworkGenerateVariables", (60, 200), name="fabric", count=2)
    hue = comfy.add("QuillworkGenerateVariables", (1000, 200), name="hue", count=2)
    assert rows(comfy, target) == [["values.values0", False]]
    drag(comfy, fabric, "values", target, "values.values0")
    comfy.wait(HAS, [target, "values.values1"])
    drag(comfy, hue, "json", target, "values.values1")
    comfy.wait(HAS, [target, "values.values2"])
    wired = [["values.values0", True], ["values.values1", True], ["values.values2", False]]
    assert rows(comfy, target) == wired
    comfy.load(comfy.saved())
    assert rows(comfy, target) == wired
    kind, detail = comfy.run()
    assert kind == "execution_success", detail
    assert comfy.of(target, "node.properties.quillwork.texts") == [
        "red wool",
        "red silk",
        "blue wool",
        "blue silk",
    ]


def test_a_part_of_a_song_goes_to_a_list_of_options(comfy, wire):
    song = "caption: Folk\n\nlyrics:\n[Instrumental]\n\nbpm: 84\n\nkeyscale: b\n\ntimesignature: 4"
    wire.script("*", song)
    node = comfy.add("QuillworkEnhancePrompt", (60, 200), prompt="a lighthouse", target="ace_step_1_5")
    split = comfy.add("QuillworkSplitPrompt", (560, 200), parts="keyscale, caption")
    choose = comfy.add("TestpackChoose", (900, 200))
    shown = comfy.add("PreviewAny", (900, 500))
    comfy.link(node, 0, split, 0)
    drag(comfy, split, "part_1", choose, "strict")
    drag(comfy, split, "part_2", shown, "source")
    comfy.load(comfy.saved())
    kind, detail = comfy.run()
    assert kind == "execution_success", detail
    assert comfy.of(choose, "node.inputs.find(({name}) => name === 'strict').link") is not None
    assert comfy.of(shown, "node.inputs[0].link") is not None
