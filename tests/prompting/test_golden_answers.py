"""Prompts that each target makes of an answer as good models give it, and of the slips that they make."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from quillwork.llm_backends.types import Deployment, Result, Usage
from quillwork.prompting.answers.limits import LENGTH_SLACK, size_of
from quillwork.prompting.answers.protect import protect
from quillwork.prompting.answers.shapes import by_schema, lyrics, sections, shots
from quillwork.prompting.answers.shapes.shape import parts_of, wrong
from quillwork.prompting.compact import CLOSING, OPENING, compact_messages
from quillwork.prompting.drafts import Draft, Order
from quillwork.prompting.phrasebook import write as phrasebook
from quillwork.prompting.phrasebook.writer import remark
from quillwork.prompting.target_index import OUR_FOLDER
from quillwork.prompting.targets import Target, index, load
from quillwork.prompting.tasks import OPEN, Brief, EnhanceTask, Reference

IDEA = "a red fox in deep snow at dawn"
DEPLOYMENT = Deployment(backend="litellm", model="golden")
TARGETS = [load(entry.id) for entry in index()]
SENTENCES = (
    "A red fox stands in deep snow at dawn, its breath visible in the cold air. ",
    "Low orange light comes from the left and draws a thin bright line along its back. ",
    "Bare birches stand behind it in pale blue mist, and their long shadows cross the untouched snow. ",
    "The view is level with its eyes, and the fox fills the middle of the frame. ",
    "The palette is rust, pale blue and white, in the manner of a calm nature photograph. ",
    "It lifts one paw slowly, turns its head towards the light and holds still while powder drifts past. ",
    "The camera moves closer at a slow and even pace until the whiskers can be counted. ",
    "Fine flakes glitter in the air, and the snow around the paws is broken into soft crumbs. ",
    "Far away a wooden fence runs along the edge of a field, half buried and dark against the white. ",
    "The sky above is clear, lighter at the horizon, with one thin cloud that has caught the first colour. ",
)
LIST = (
    "no humans, red fox, deep snow, dawn, winter, standing, breath, birch trees, mist, orange light, "
    "rim light, "
    "eye level, animal focus, full body, cold, blue shadows, outdoors, looking at viewer, fluffy tail"
)
SONG = """\
[Verse 1]
The snow came down before the light
A fox went by without a sound

[Chorus - soft]
Run, little fire, run
I will keep the door ajar"""
H3 = (
    "[Shot 1] Live-action, a red fox stands in deep snow at dawn. "
    "[Shot 2] At 00:02.500, the camera cuts to its eyes."
)
PARTS = {
    "caption": "Gentle indie folk about a red fox in deep snow at dawn, soft female vocal, felt piano.",
    "lyrics": SONG,
    "bpm": "84",
    "keyscale": "A minor",
    "timesignature": "4",
    "integrated_multimodal_description": H3,
    "detailed_description": H3,
    "subject_definitions": "<Subject 1> is the red fox in <Picture 1>, with deep red fur.",
    "summary": "[reference generation] The red fox of <Picture 1> stands in deep snow at dawn.",
    "retention_analysis": "The looks of <Subject 1> are kept as they are.",
    "overall_soundscape": "The snow muffles everything, and a light wind is heard.",
    "non_diegetic_music": "N/A",
}
LABELLED = (
    "Global Metadata: Indie folk at 84 BPM in A minor, tender, about a red fox in deep snow at dawn.\n"
    "Vocal Details: Soft female vocal.\nArrangement: Felt piano in the verse, strings in the chorus."
)


def prose_of(words: int) -> str:
    text = ""
    for place in range(60):
        if len(text.split()) >= words:
            break
        text += SENTENCES[place] if place < len(SENTENCES) else f"Detail {place} of the fox shows clearly. "
    return text.strip()


def golden(target: Target) -> str:
    """Return what a good model answers for the target."""
    if target.schema:
        value = {
            "short_description": IDEA, "objects": [{"description": IDEA}], "high_level_description": IDEA,
            "style_description": {
                "aesthetics": "calm", "lighting": "low light", "medium": "photograph", "photo": "85 mm",
                "color_palette": ["#AA3311"],
            },
        }  # fmt: skip
        return by_schema.fitted(json.dumps(value), by_schema.schema_of(target.schema))
    if target.parts:
        texts = {part.name: LABELLED if part.labels else PARTS[part.name] for part in target.parts}
        return sections.joined(texts, target.parts)
    fewest = target.words[0] if target.words else 20
    if target.form in ("tags", "phrases"):
        return LIST
    if target.form == "tags_and_prose":
        return f"{LIST}, {prose_of(max(0, fewest - len(LIST.split())))}".strip(", ")
    if target.form == "json":
        return json.dumps({"high_level_description": IDEA})
    if target.form == "instruction" or target.kind == "edit":
        return f"Place {IDEA} behind the house. " + prose_of(fewest)
    return prose_of(fewest + 2)


def order(target: Target, idea: str = IDEA, brief: Brief = OPEN) -> Order:
    protected = protect(idea, has_lyrics=target.kind == "audio")
    task = EnhanceTask(protected.text, target, parts=protected.parts, brief=brief)
    return Order(task, protected, idea)


def made(target: Target, answer: str, idea: str = IDEA, brief: Brief = OPEN) -> tuple[str, Order]:
    """Return the prompt that is made of an answer."""
    one = order(target, idea, brief)
    draft = one.read(Result(text=answer, usage=Usage(1, 1)), DEPLOYMENT)
    assert isinstance(draft, Draft), draft
    return one.finished(one.completed(draft))[0], one


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.id)
class TestEveryTarget:
    def test_a_good_answer_stands(self, target):
        prompt, one = made(target, golden(target))
        said = target.kind == "image_to_video" or target.form == "any" or "red fox" in prompt
        assert said
        assert not wrong(prompt.replace(target.prefix, ""), one.task) or target.prefix
        faults = one.faults(Draft((golden(target),)))
        kinds = {fault.kind for found in faults.values() for fault in found}
        assert kinds <= {"lost", "unchanged"}, faults
        if target.words and target.form not in ("json", "sections", "any"):
            added = size_of(target, target.prefix) + size_of(target, target.suffix)
            assert size_of(target, prompt) <= target.words[1] * LENGTH_SLACK + added
        assert not re.search(r"(?m)^(?:Negative:|Here is|Sure)", prompt)

    def test_talk_fences_and_a_negative_go(self, target):
        answer = f"Here is your prompt:\n\n{golden(target)}"
        if target.form != "json" and not target.parts:
            answer += "\n\nNegative: blurry"
        prompt, _ = made(target, answer)
        assert "Here is your prompt" not in prompt
        assert "Negative:" not in prompt

    def test_the_phrasebook_answers(self, target):
        task = EnhanceTask(IDEA, target, brief=Brief(duration=12, aspect="16:9"))
        text = phrasebook(task).partition("\nNegative: ")[0]
        assert "red fox" in text
        if target.schema or target.parts or target.shot_label:
            assert not wrong(text, task)


OWN = [target for target in TARGETS if (OUR_FOLDER / "examples" / f"{target.id}.yaml").is_file()]
EXAMPLES = [
    pytest.param(target, example, id=f"{target.id}-{number}")
    for target in OWN
    for number, example in enumerate(target.examples)
]


class TestWorkedExamples:
    def test_every_target_has_two(self):
        assert [target.id for target in TARGETS if len(target.examples) < 2] == []

    def test_a_form_of_its_own_is_shown_in_examples_of_its_own(self):
        odd = {t.id for t in TARGETS if t.is_structured or t.shot_label or t.kind == "audio"}
        assert odd <= {target.id for target in OWN}

    @pytest.mark.parametrize(("target", "example"), EXAMPLES)
    def test_they_are_what_a_good_answer_is(self, target, example):
        prompt, one = made(target, example.prompt, example.idea)
        assert not one.warnings
        assert not one.faults(Draft((example.prompt,), example.negative))
        # Nothing had to be mended.
        assert " ".join(example.prompt.split()) in " ".join(prompt.split())
        if target.words:
            assert target.words[0] <= size_of(target, example.prompt) <= target.words[1]
        if target.schema:
            assert by_schema.wrong(example.prompt, by_schema.schema_of(target.schema)) == ""
        if target.shot_label:
            told = (
                parts_of(example.prompt, target)[sections.main_of(target.parts)] if target.parts else prompt
            )
            found = shots.shots_in(told, target.shot_label)
            assert found
            last = found[-1].ends or found[-1].begins or 0
            assert last <= (target.seconds or (0, 99))[1]
            assert not shots.wrong(told, target.shot_label, target.shots[1], found[-1].ends or 0)

    @pytest.mark.parametrize(("target", "example"), EXAMPLES)
    def test_lyrics_can_be_sung(self, target, example):
        for part in (part for part in target.parts if part.holds == "lyrics"):
            text = parts_of(example.prompt, target)[part.name]
            assert lyrics.tidy(text) == text
            sung = [line for line in text.splitlines() if line and not lyrics.TAG.match(line)]
            assert all(6 - 2 <= lyrics.syllables(line) <= 10 for line in sung), sung
        if target.id == "ace_step_1_5":
            caption = parts_of(example.prompt, target)["caption"]
            assert not re.search(r"(?i)\bbpm\b|\b[A-G] (?:flat |sharp )?(?:major|minor)\b", caption)

    def test_a_small_model_is_shown_them_in_the_shape_it_is_asked_for(self):
        for target in OWN:
            shown = compact_messages(EnhanceTask(IDEA, target))[2::2]
            for message in shown:
                text = message.content.removeprefix(OPENING).removesuffix(CLOSING)
                assert made(target, text)[0]
                assert not wrong(text, EnhanceTask(IDEA, target))


@pytest.mark.parametrize("target", [one for one in TARGETS if one.parts], ids=lambda target: target.id)
class TestParts:
    def test_each_comes_alone(self, target):
        prompt, _ = made(target, golden(target))
        found = parts_of(prompt, target)
        assert list(found) == [part.name for part in target.parts]

    def test_json_and_bold_names_are_read_too(self, target):
        texts = {part.name: LABELLED if part.labels else PARTS[part.name] for part in target.parts}
        bold = "\n\n".join(f"**{name.replace('_', ' ').title()}**: {text}" for name, text in texts.items())
        expected, _ = made(target, golden(target))
        for answer in (json.dumps(texts), f"```json\n{json.dumps(texts)}\n```", bold):
            assert made(target, answer)[0] == expected

    def test_what_may_be_left_out_is_filled_in(self, target):
        needed = [part for part in target.parts if not part.fallback]
        texts = {part.name: LABELLED if part.labels else PARTS[part.name] for part in needed}
        prompt, one = made(target, sections.joined(texts, target.parts))
        assert not wrong(prompt.partition("\n\n")[2] if target.prefix else prompt, one.task)

    def test_an_answer_without_names_is_the_main_part(self, target):
        found = sections.read("A red fox in deep snow at dawn.", target.parts)
        assert found == {sections.main_of(target.parts): "A red fox in deep snow at dawn."}

    def test_a_part_that_is_missing_is_asked_for_again(self, target):
        first = sections.main_of(target.parts)
        one = order(target)
        needed = [part.name for part in target.parts if not part.fallback]
        asks = one.asks_again(Draft((f"{first}: {PARTS[first]}",)), in_process=True)
        assert asks == (len(needed) > 1)


@pytest.mark.parametrize("id", ["ace_step_1_5", "minimax_music_3"])
class TestVoices:
    def test_nothing_is_sung_where_the_idea_wants_no_voice(self, id):
        target = load(id)
        for idea in ("a lo-fi beat, no vocals", "an instrumental about rain", "piano without any singing"):
            for said in (golden(target), golden(target).replace(SONG, "")):
                assert parts_of(made(target, said, idea)[0], target)["lyrics"] == lyrics.INSTRUMENTAL

    def test_a_voice_that_the_idea_names_has_words(self, id):
        target = load(id)
        mute = golden(target).replace(SONG, lyrics.INSTRUMENTAL)
        one = order(target, "a folk song, female voice")
        assert one.asks_again(Draft((mute,)), in_process=True)
        assert not one.asks_again(Draft((golden(target),)), in_process=True)
        assert not order(target, "rain on a tin roof").asks_again(Draft((mute,)), in_process=True)
        prompt, one = made(target, mute, "a folk song, female voice")
        assert lyrics.INSTRUMENTAL not in prompt and "[Chorus" in prompt and not wrong(prompt, one.task)
        assert [told for told in one.warnings if "the lyrics are the phrasebook's" in told]

    def test_the_users_own_lyrics_stay(self, id):
        target = load(id)
        idea = (
            "folk, no vocals in the verse\n[Verse]\nThe snow came down\n[Chorus - loud]\nRun (run), fire, run"
        )
        one = order(target, idea)
        assert "[Chorus - loud]\nRun (run), fire, run" in one.request().messages[-1].content
        for said in (golden(target), golden(target).replace(SONG, ""), phrasebook(one.task)):
            sung = parts_of(made(target, said, idea)[0], target)["lyrics"]
            assert sung == "[Verse]\nThe snow came down\n\n[Chorus - loud]\nRun (run), fire, run"
        behind = "[Verse]\nThe snow came down\n\n{}"
        for style in (
            "synthwave, 120 bpm, male vocal",
            "120 bpm, folk",
            "Style: indie folk",
            "melancholic, acoustic guitar, slow",
        ):
            for said in (golden(target), phrasebook(order(target, behind.format(style)).task)):
                parts = parts_of(made(target, said, behind.format(style))[0], target)
                assert parts["lyrics"] == "[Verse]\nThe snow came down"
                assert ", ," not in str(parts)
        for line in (
            "Oh, the snow, the snow",
            "We danced to rock, and the night came on and on",
            "Metal heart",
        ):
            parts = parts_of(made(target, golden(target), behind.format(line))[0], target)
            assert parts["lyrics"].endswith(line)
        whole = golden(target).replace(SONG, "[Verse]\nThe snow came down")
        for said in (golden(target), phrasebook(order(target, whole).task)):
            text = made(target, said, whole)[0]
            assert parts_of(text, target)["lyrics"] == "[Verse]\nThe snow came down"
            assert text.count("\nbpm:") == whole.count("\nbpm:")
        more = golden(target).replace(
            SONG, f"[Verse]\nThe snow came down\n\n[Chorus]\nRun (run), fire, run\n\n{SONG}"
        )
        assert "I will keep the door ajar" in made(target, more, idea)[0]


@pytest.mark.parametrize("id", ["ace_step_1_5", "minimax_music_3"])
class TestNamesOfSections:
    """Names alone on their lines, without square brackets."""

    @pytest.mark.parametrize(
        ("verse", "chorus", "tags"),
        [
            ("Verse 1:", "Chorus:", ("[Verse 1]", "[Chorus]")),
            ("(Verse)", "(Chorus)", ("[Verse]", "[Chorus]")),
            ("**Verse 2**", "**Pre Chorus:**", ("[Verse 2]", "[Pre-Chorus]")),
            ("verse", "chorus", ("[Verse]", "[Chorus]")),
            ("[Verse 1]", "Chorus:", ("[Verse 1]", "[Chorus]")),
            ("Verse 1:", "[Chorus - loud]", ("[Verse 1]", "[Chorus - loud]")),
            ("Verse 1 (male):", "Chorus x2:", ("[Verse 1 - male]", "[Chorus - x2]")),
            ("Strophe 1:", "Refrain:", ("[Verse 1]", "[Chorus]")),
            ("[Estrofa]", "[Estribillo]", ("[Verse]", "[Chorus]")),
            ("[Couplet 1: Anna]", "[Refrain]", ("[Verse 1 - Anna]", "[Chorus]")),
        ],
    )
    def test_they_are_tags(self, id, verse, chorus, tags):
        target = load(id)
        song = f"{verse}\nHello my friend\nthe night is long (so long)\n{chorus}\nWe sing la la la"
        wanted = f"{tags[0]}\nHello my friend\nthe night is long (so long)\n\n{tags[1]}\nWe sing la la la"
        for idea in (f"{song}\n\npop punk", f"pop punk\n{song}", f"pop punk\n\n{song}\n"):
            for said in (golden(target), phrasebook(order(target, idea).task)):
                parts = parts_of(made(target, said, idea)[0], target)
                assert parts["lyrics"] == wanted
                assert "Hello" not in parts["caption"]
            assert "pop punk" in parts["caption"]

    @pytest.mark.parametrize(
        "idea",
        [
            "a rock song\nIntro: slow piano\nVerse: soft drums\nChorus: loud guitars",
            "jazz\ninstrumental\n120 bpm",
            "clean guitar\nchorus\nlong reverb",
            "a song that ends on its\nChorus:",
            "a song with\nVerse\nChorus",
        ],
    )
    def test_what_is_said_of_the_piece_is_none(self, id, idea):
        one = order(load(id), idea)
        assert lyrics.own_lyrics(one.task.prompt) == (idea, "")

    def test_words_behind_a_name_are_sung_beside_other_tags(self, id):
        song = "folk\nIntro: slow piano\nVerse 1: Hello my friend\nthe night is long\nChorus:\nLa la la la"
        said, sung = lyrics.own_lyrics(song)
        assert said == "folk\nIntro: slow piano"
        assert sung == "[Verse 1]\nHello my friend\nthe night is long\n[Chorus]\nLa la la la"

    def test_a_refrain_beside_a_chorus_stays(self, id):
        assert "[Refrain]" in lyrics.tidy("[Chorus]\nLa la la la\n[Refrain]\nOh my my my")

    @pytest.mark.parametrize(
        "idea",
        [
            "pop punk\n[Verse] <lora:voice:0.5>\nHello my friend",
            "[Verse] <lora:voice:0.5>\nHello my friend\n\npop punk",
            "pop punk\n<lora:voice:0.5> [Verse]\nHello my friend",
            "pop punk\n[Verse]\nHello my <lora:voice:0.5> friend",
            "pop punk\n[Verse]\n<lora:voice:0.5>\nHello my friend",
            "pop punk\nVerse: <lora:voice:0.5>\nHello my friend",
        ],
    )
    def test_a_network_among_them_stands_in_the_caption(self, id, idea):
        target = load(id)
        for said in (golden(target), phrasebook(order(target, idea).task)):
            parts = parts_of(made(target, said, idea)[0], target)
            assert parts["lyrics"] == "[Verse]\nHello my friend"
            assert parts["caption"].count("<lora:voice:0.5>") == 1


@pytest.mark.parametrize(("said", "metre"), [("3/4", "3"), ("6/8", "6"), ("3", "3"), ("5/4", "4")])
def test_a_time_signature_counts_by_its_beats(said, metre):
    parts = load("ace_step_1_5").parts
    assert sections.mended({"timesignature": said}, parts)["timesignature"] == metre


@pytest.mark.parametrize("target", [one for one in TARGETS if one.parts], ids=lambda one: one.id)
@pytest.mark.parametrize("idea", ["<lora:x:0.8>, a red fox at dawn", "a red fox at dawn, <lora:x:0.8>"])
def test_a_network_stands_in_the_main_part(target, idea):
    """It counts for the whole, and no other part, nor the name of one, has use for it."""
    for said in (golden(target), phrasebook(order(target, idea).task)):
        prompt = made(target, said, idea)[0]
        parts = parts_of(prompt, target)
        assert set(parts) == set(parts_of(prompt.replace("<lora:x:0.8>", ""), target))
        assert [name for name, text in parts.items() if "<lora:x:0.8>" in text] == [
            sections.main_of(target.parts)
        ]
        assert not re.search(r"<lora:x:0.8>,? *\w+:", prompt)


@pytest.mark.parametrize("id", ["ace_step_1_5", "minimax_music_3"])
def test_lyrics_begin_on_a_line_of_their_own_behind_a_network(id):
    target = load(id)
    for own in ("a rock song, <lora:x:0.8>\n{}", "a rock song\n<lora:x:0.8>\n{}"):
        idea = own.format("[Verse]\nThe snow came down")
        prompt = made(target, phrasebook(order(target, idea).task), idea)[0]
        parts = parts_of(prompt, target)
        assert parts["lyrics"] == "[Verse]\nThe snow came down"
        joint = ", " if ", <" in own else " "
        assert f"a rock song{joint}<lora:x:0.8>" in parts["caption"]


class TestLyrics:
    @pytest.mark.parametrize(
        ("line", "count"),
        [
            ("walking through the empty streets", 7),
            ("We rise together (together)", 5),
            ("I loved the table by the lake", 8),
            ("我站在窗前", 5),
            ("きょうは雨", 4),
            ("사랑해요", 4),
            ("Ночь темна", 3),
        ],
    )
    def test_syllables(self, line, count):
        assert abs(lyrics.syllables(line) - count) <= (1 if line.isascii() else 0)

    @pytest.mark.parametrize(
        "text",
        [
            "Verse 1:\nwalking through the empty streets at night alone without a friend to hold\nhey\n"
            "**Chorus**\nWE ARE THE FIRE",
            "[Verse][Chorus - a - b - c]\nla la la la la la\n[Outro]\ngone",
            "just some words that nobody put under a tag and that go on and on for very much too long",
            "[Chorus: anthemic, loud]\n- One line here for you\n- And another one too",
            "一二三四五六七八九十一二三四五六七八",
        ],
    )
    def test_rules_hold_after_tidying(self, text):
        done = lyrics.tidy(text)
        assert lyrics.wrong(done) == ""
        assert lyrics.tidy(done) == done

    def test_the_users_own_lines_stay(self):
        own = "Verse\nthis line of mine is much too long to sing but it is mine and it shall stay"
        assert own.splitlines()[1] in lyrics.tidy(f"[Verse]\n{own.splitlines()[1]}", own)

    @pytest.mark.parametrize(
        "text",
        [
            "no tags",
            "\n[Verse]\nla",
            "[Verse]\na\n[Chorus]\nb",
            "[Chorus - a - b]\nla",
            f"[Verse]\n{'la ' * 20}",
        ],
    )
    def test_what_is_wrong_is_told(self, text):
        assert lyrics.wrong(text)

    def test_a_piece_for_no_voice_has_none_in_its_caption(self):
        said = phrasebook(EnhanceTask("jazz\n[Instrumental]\n[Guitar Solo]", load("ace_step_1_5")))
        assert "no vocals, instrumental" in said
        assert "[Instrumental]\n\n[Guitar Solo]" in said

    def test_lyrics_for_a_model_that_does_not_sing_are_told_of(self):
        task = EnhanceTask("jazz\n[Verse]\nhello moon", load("stable_audio_3"))
        assert "hello moon" not in phrasebook(task)
        assert remark(task) == "Stable Audio 3 sings no lyrics; those of the idea are left out."

    def test_lyrics_in_another_language_are_no_fault(self):
        words = "[Verse]\nDer Schnee fiel leise vor dem Licht\nEin Fuchs lief fort und sah mich nicht"
        german = sections.joined({**PARTS, "lyrics": words}, load("ace_step_1_5").parts)
        one = order(load("ace_step_1_5"), brief=Brief(language="de"))
        assert not [
            f for found in one.faults(Draft((german,))).values() for f in found if f.kind == "language"
        ]
        assert "The lyrics are in German" in one.request().messages[-1].content


SHOTS = [
    ("kling_3", "Shot 1 (0-3s). A. Shot 2 (3-6s). B.", 10, [(0, 5), (5, 10)]),
    ("kling_3", "Shot 1: A.\nShot 2: B.\nShot 3: C.", 10, [(0, 3), (3, 7), (7, 10)]),
    ("kling_3", "A fox runs.", 6, [(0, 6)]),
    ("kling_3", "**Shot 3** (0s - 1s) - A. Shot 7 (1s to 4s): B.", 8, [(0, 2), (2, 8)]),
    ("kling_3", "Shot 1 (0-5s). A. Shot 2 (5s). B.", 10, [(0, 5), (5, 10)]),
    ("wan_2_7", "Shot 1 [0-2s] A. Shot 2 [2-9s] B.", 9, [(0, 2), (2, 9)]),
    ("seedance_2_5", "Shot 1 (0-2s): A. Shot 2 (2-3s): B.", 30, [(0, 20), (20, 30)]),
    ("minimax_h3", "[Shot 1] A. [Shot 2] At 00:09.000, B.", 6, [(0, 3), (3, 6)]),
]  # fmt: skip


class TestShots:
    @pytest.mark.parametrize(("id", "text", "duration", "spans"), SHOTS)
    def test_times_add_up_to_the_length(self, id, text, duration, spans):
        target = load(id)
        task = EnhanceTask(IDEA, target, brief=Brief(duration=duration))
        done = shots.mended(text, target.shot_label, target.shots[1], duration)
        found = shots.shots_in(done, target.shot_label)
        if "{to}" in target.shot_label:
            assert [(shot.begins, shot.ends) for shot in found] == spans
        else:
            assert [shot.begins or 0 for shot in found] == [begin for begin, _ in spans]
        assert not shots.wrong(done, target.shot_label, target.shots[1], task.brief.duration)
        assert shots.mended(done, target.shot_label, target.shots[1], duration) == done

    def test_what_is_in_too_many_shots_happens_in_the_last(self):
        target = load("kling_3")
        said = " ".join(
            f"Shot {number} ({number * 2 - 2}-{number * 2}s). Scene {number}." for number in range(1, 9)
        )
        done, _ = made(target, said, "a potter", Brief(duration=12))
        assert done.endswith("Shot 6 (10-12s). Scene 6. Scene 7. Scene 8.")
        assert not shots.wrong(done, target.shot_label, target.shots[1], 12)

    def test_numbers_alone_where_times_break_the_clip(self):
        done = shots.mended("Shot 1 (0-3s): A. Shot 2 (3-5s): B.", load("seedance_2").shot_label, 5, 10)
        assert done == "Shot 1: A. Shot 2: B."

    def test_the_message_says_what_is_wanted(self):
        asked = order(load("kling_3"), brief=Brief(duration=9, aspect="9:16")).request().messages
        assert "up to 6 shots" in asked[0].content
        assert "“Shot 2 (3-6s).”" in asked[0].content
        assert "The last shot ends at 9." in asked[1].content
        assert "Picture format: 9:16" in asked[1].content
        assert "one scene" in order(load("wan_2_2_t2v")).request().messages[0].content

    def test_first_and_last_frame_name_the_end(self):
        prompt, _ = made(load("minimax_h3_fl2v"), golden(load("minimax_h3_fl2v")), brief=Brief(duration=8))
        assert "Picture 2 (from Shot 2) aligns with the 8.00-second mark" in prompt


BAD_JSON = [
    "no JSON at all, just a red fox",
    '{"short_description": "a red fox", "objects": "a fox", "extra": 1}',
    '{"short_description": "a fox", "objects": [{"description": "fox", "location": ["left", "front"]}',
    '```json\n{"Short Description": "a fox", "lighting": "soft", "text_render": null}\n```',
    '[{"short_description": "a fox", "objects": [null, 3, {"pose": {"a": "b"}}]}]',
    '{"objects": []}',
]


class TestJson:
    @pytest.mark.parametrize("target", [one for one in TARGETS if one.schema], ids=lambda target: target.id)
    @pytest.mark.parametrize("answer", BAD_JSON)
    def test_it_always_follows_the_schema(self, target, answer):
        prompt, _ = made(target, answer)
        assert not by_schema.wrong(prompt, by_schema.schema_of(target.schema))

    def test_a_strict_schema_goes_with_the_request(self):
        request = order(load("fibo")).request()
        assert request.schema is not None
        assert by_schema.is_strict(request.schema)
        assert '"short_description"' in request.messages[0].content

    def test_small_models_are_asked_for_parts_as_json(self):
        one = replace(order(load("ace_step_1_5")), is_for_small=True)
        assert list(one.request().schema["properties"]) == [
            "caption",
            "lyrics",
            "bpm",
            "keyscale",
            "timesignature",
        ]


class TestNegations:
    def test_they_are_a_field_of_the_target(self):
        assert "such as “no watermark”" in order(load("gpt_image")).request().messages[0].content
        assert "knows no negation" in order(load("nano_banana")).request().messages[0].content


class TestReferences:
    TWO = Brief(references=(Reference("subject", "Anna"), Reference("style")))

    @pytest.mark.parametrize(
        ("id", "names"),
        [
            ("gpt_image", ("Image 1", "Image 2")),
            ("bernini_r", ("image0", "image1")),
            ("seedance_2", ("@Image1", "@Image2")),
            ("minimax_h3_ref2v", ("<Picture 1>", "<Picture 2>")),
        ],
    )
    def test_they_have_the_targets_own_names(self, id, names):
        target = load(id)
        asked = order(target, brief=self.TWO).request().messages[-1].content
        prompt, _ = made(target, golden(target), brief=self.TWO)
        for name in names:
            assert name in asked
            assert name in prompt
        assert "Anna" in asked

    def test_a_target_without_pictures_is_told_in_words(self):
        asked = order(load("flux1_dev"), brief=self.TWO).request().messages[-1].content
        assert "does not get them" in asked
        assert "image 1" not in made(load("flux1_dev"), golden(load("flux1_dev")), brief=self.TWO)[0]


def test_a_described_picture_has_the_shape_too():
    from quillwork.prompting.describe import View, _finish

    view = View((), load("minimax_h3_fl2v"))
    answer = Result(text="A red fox stands in deep snow at dawn and looks up.", usage=Usage(1, 1))
    prompt = _finish(view, answer, DEPLOYMENT, [])
    assert "{" not in prompt
    assert "integrated_multimodal_description: [Shot 1] A red fox" in prompt
