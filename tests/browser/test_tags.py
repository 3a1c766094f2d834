"""Completion of tags in a text field: what is offered, what is put in, and when nothing is."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

TABLE = """\
1girl,0,6008644,"1girls,sole_female"
long_hair,0,4350743,"/lh,longhair"
long_sleeves,0,1568684,long_sleeve
pantyhose,0,528923,"panty_hose,tights"
saber_(fate),4,17258,
wlop,1,5000,
low_twintails,0,112167,
^_^,0,110141,^^
"""
ON_THE_CANVAS = pytest.mark.parametrize("renderer", ["canvas"], scope="session")
LIST = ".quillwork-suggestions"


@pytest.fixture
def field(comfy):
    """Enter the prompt of a node for Illustrious, whose user has a tag table."""
    folder = comfy.host.quillwork_home / "tags"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "danbooru.csv").write_text(TABLE, "utf-8")
    node = comfy.enhance("", target="illustrious")
    field = comfy.text_field(node)
    field.click()
    field.node = node
    yield field
    comfy.page.keyboard.press("Escape")


def options(comfy):
    comfy.page.locator(LIST).wait_for()
    return comfy.page.locator(f"{LIST} [role=option]").all_inner_texts()


def closed(comfy):
    comfy.page.locator(LIST).wait_for(state="detached")


def wait_text(comfy, field, text):
    comfy.page.wait_for_function(
        "([id, text]) => app.graph.getNodeById(id).widgets[0].value === text", arg=[field.node, text]
    )


def test_names_and_aliases_by_their_counts(comfy, field):
    comfy.page.keyboard.type("long")
    assert options(comfy) == ["long hair\n4.4M", "long sleeves\n1.6M"]
    comfy.page.keyboard.press("Tab")
    wait_text(comfy, field, "long hair, ")
    closed(comfy)
    comfy.page.keyboard.type("tig")
    assert options(comfy) == ["tights → pantyhose\n529K"]
    comfy.page.keyboard.press("ArrowDown")
    comfy.page.keyboard.press("Enter")
    wait_text(comfy, field, "long hair, pantyhose, ")
    comfy.page.keyboard.press("Control+z")
    wait_text(comfy, field, "long hair, tig")


@ON_THE_CANVAS
def test_brackets_are_written_as_the_target_reads_them(comfy, field):
    comfy.page.keyboard.type("(sab")
    assert options(comfy) == ["saber (fate)\n17K"]
    comfy.page.keyboard.press("Tab")
    wait_text(comfy, field, r"(saber \(fate\)")


@ON_THE_CANVAS
def test_keys_belong_to_the_field_until_a_row_is_chosen(comfy, field):
    comfy.page.keyboard.type("long")
    options(comfy)
    comfy.page.keyboard.press("Enter")
    closed(comfy)
    wait_text(comfy, field, "long\n")
    comfy.page.keyboard.type("low")
    options(comfy)
    comfy.page.keyboard.press("Escape")
    closed(comfy)
    wait_text(comfy, field, "long\nlow")


@ON_THE_CANVAS
def test_nothing_while_an_input_method_composes(comfy, field):
    comfy.page.keyboard.type("lon")
    options(comfy)
    session = comfy.page.context.new_cdp_session(comfy.page)
    session.send("Input.imeSetComposition", {"text": "g", "selectionStart": 1, "selectionEnd": 1})
    closed(comfy)
    session.send("Input.insertText", {"text": "g"})
    assert options(comfy) == ["long hair\n4.4M", "long sleeves\n1.6M"]
    session.detach()


@ON_THE_CANVAS
@pytest.mark.parametrize("target", ["z_image_turbo", "auto"])
def test_not_for_prose(comfy, field, target):
    comfy.set(field.node, "target", target)
    comfy.page.keyboard.type("long")
    # The list would be there before the text is.
    wait_text(comfy, field, "long")
    assert comfy.page.locator(LIST).count() == 0
    comfy.set(field.node, "target", "illustrious")
    comfy.page.keyboard.type(" ")
    options(comfy)


@ON_THE_CANVAS
def test_switched_off_it_is_silent(comfy, field):
    def switch(on):
        comfy.page.evaluate("(on) => app.extensionManager.setting.set('Quillwork.Fields.Tags', on)", on)

    switch(False)
    try:
        comfy.page.keyboard.type("long")
        wait_text(comfy, field, "long")
        assert comfy.page.locator(LIST).count() == 0
    finally:
        switch(True)
    comfy.page.keyboard.type("_")
    options(comfy)


def test_enhance_beside_another_packs_field_takes_its_target(comfy, field):
    other = comfy.add("TestpackLines", (640, 520), text="")
    comfy.text_field(other).click()
    comfy.page.keyboard.press("Alt+q")
    beside = comfy.page.locator(".quillwork-beside")
    beside.get_by_label("For model").select_option("illustrious")
    comfy.text_field(other).click()
    comfy.page.keyboard.type("wl")
    assert options(comfy) == ["wlop\n5K"]
    comfy.page.keyboard.press("Escape")
    comfy.page.keyboard.press("Escape")
    beside.wait_for(state="detached")


def test_with_auto_the_checkpoint_tells_which_tags_there_are(comfy, field):
    loader = comfy.add("TestpackEncoder", (700, 100))
    comfy.set(loader, "ckpt_name", "SDXL/illustriousXL_v0.1.safetensors")
    comfy.set(field.node, "target", "auto")
    slot = comfy.of(field.node, "node.inputs.findIndex(({name}) => name === 'clip')")
    comfy.page.keyboard.type("long")
    comfy.page.wait_for_timeout(500)
    closed(comfy)
    comfy.link(loader, 0, field.node, slot)
    comfy.page.keyboard.type(", long")
    assert options(comfy) == ["long hair\n4.4M", "long sleeves\n1.6M"]
    comfy.page.keyboard.press("Escape")


MANY = """async ([target, queries, is_slow]) => {
  const { manners } = await import("/extensions/quillwork/tags/completion.js");
  while (!manners.of(target)) await new Promise((done) => setTimeout(done, 20));
  const manner = manners.of(target);
  const now = performance.now;
  let clock = 0;
  if (is_slow) performance.now = () => (clock += 100);
  const found = [];
  try {
    for (const query of queries) {
      let again = true, tags;
      while (again) {
        again = false;
        tags = manner.find(query, 12, false, () => { again = true; });
        await new Promise((done) => setTimeout(done, 1));
      }
      found.push(tags.map(({ name, alias }) => [name, alias ?? null]));
    }
  } finally {
    performance.now = now;
  }
  return found;
}"""
PARTS = ("amber", "bright", "copper", "dusty", "ember", "frosted", "glass", "hollow", "ivory", "jagged")


def many():
    """Yield rows enough for several looks at the clock, the most frequent first."""
    for place in range(12_000):
        one, two, three = PARTS[place % 10], PARTS[place // 10 % 10], PARTS[place // 100 % 10]
        alias = f"alias_{place}" if place % 7 == 0 else ""
        yield f"{one}_{two}_{three}_{place}", 20_000 - place, alias


def expected(query):
    """List the tags that begin so, then those that hold it, each by its count."""
    rows = list(many())
    begins = [(name, None) for name, _, _ in rows if name.startswith(query)]
    begins += [(name, alias) for name, _, alias in rows if query and alias.startswith(query)]
    holds = [
        (name, None if query in name else alias) for name, _, alias in rows if query in name or query in alias
    ]
    counts = {name: count for name, count, _ in rows}
    begins.sort(key=lambda one: -counts[one[0]])
    found = {name: alias for name, alias in reversed(holds + begins[::-1])}
    ordered = list(dict.fromkeys(name for name, _ in [*begins, *holds]))
    return [[name, found[name]] for name in ordered][:12]


@ON_THE_CANVAS
@pytest.mark.parametrize("is_slow", [False, True])
def test_a_long_table_is_looked_through_whole_however_slowly(comfy, is_slow):
    folder = comfy.host.quillwork_home / "tags"
    folder.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{name},0,{count},{alias}\n" for name, count, alias in many())
    (folder / "danbooru.csv").write_text(rows, "utf-8")
    typed = ("jagged_11", "st", "sty_9", "sty_97", "lias_1199", "lias_11991", "nothing", "nothing_at")
    # Letter by letter, as it is typed, and each at once.
    queries = [text[:end] for text in typed for end in range(2, len(text) + 1)] + list(typed)
    found = comfy.page.evaluate(MANY, ["noobai", queries, is_slow])
    for query, tags in zip(queries, found, strict=True):
        assert tags == expected(query), query
