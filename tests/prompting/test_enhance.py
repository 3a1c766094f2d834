"""Enhancing end to end, against the imitation server: order, reported failures, and the user's own words."""

from __future__ import annotations

import asyncio
import json

import pytest
from endpoints import endpoint
from wire.answers import Answer

from quillwork.llm_backends import errors, registry
from quillwork.llm_backends.model import Model, Sampling
from quillwork.llm_backends.modes import Mode
from quillwork.llm_backends.runner import runner
from quillwork.llm_backends.types import Capabilities, Chunk, Deployment, Image
from quillwork.prompting import targets
from quillwork.prompting.enhance import MOST_VARIATIONS, Enhanced, Idea, enhance, open_or_substitute
from quillwork.prompting.targets import Target

PLAIN = Target("t", "Fox Model", "g")
TAGS = Target(
    "tags", "Tags", "g", form="tags", negative="default", default_negative="blurry, lowres", weights=True
)


def run(ideas, deployment, on_error="raise", pictures=(), sampling=Sampling()) -> Enhanced:  # noqa: B008
    ideas = [ideas] if isinstance(ideas, Idea) else ideas
    return runner.run(enhance(ideas, Model(deployment, sampling), on_error, pictures))


def idea_in(body: dict) -> str:
    return body["messages"][-1]["content"].removeprefix("Idea:\n").split("\n")[0]


def test_one_prompt(wire):
    wire.script("fox", "Here is your prompt:\n\nA red fox in fresh snow.")
    enhanced = run(Idea("a fox", PLAIN, seed=7), endpoint(wire.url))
    assert (enhanced.prompts, enhanced.negatives, enhanced.is_substitute) == (
        ["A red fox in fresh snow."],
        [""],
        False,
    )
    assert enhanced.info["warnings"] == []
    (call,) = wire.calls()
    assert (call.json["seed"], call.json["max_tokens"]) == (7, 2048)
    assert "temperature" not in call.json


def test_ideas_and_variations_come_in_their_order(wire):
    wire.script("fox*", lambda body: f"{idea_in(body)} with seed {body['seed']}")
    ideas = [Idea("a fox", PLAIN, variations=3, seed=10), Idea("an owl", TAGS, variations=2, seed=2**31 - 1)]
    wire.meeting = 2
    enhanced = run(ideas, endpoint(wire.url, "fox"))
    assert enhanced.prompts == [
        "a fox with seed 10",
        "a fox with seed 11",
        "a fox with seed 12",
        "an owl with seed 2147483647",
        "an owl with seed 0",
    ]
    assert len(enhanced.negatives) == 5
    assert len(wire.calls()) == 5
    assert wire.peak > 1, "they were asked one after the other"


def test_a_seed_beyond_what_apis_take_is_folded(wire):
    run(Idea("a fox", PLAIN, seed=2**63 + 5), endpoint(wire.url))
    assert wire.calls()[0].json["seed"] == 5


def test_what_the_target_and_the_user_want_is_asked(wire):
    run(Idea("a fox", PLAIN, instruction="at night"), endpoint(wire.url))
    system, user = wire.calls()[0].json["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert "Fox Model" in system["content"]
    assert "at night" in user["content"]


@pytest.mark.parametrize("variations", [0, -1, MOST_VARIATIONS + 1])
def test_too_many_or_too_few_variations(wire, variations):
    with pytest.raises(errors.NotConfigured, match="variations"):
        run(Idea("a fox", PLAIN, variations=variations), endpoint(wire.url))
    assert not wire.log


@pytest.mark.parametrize("prompt", ["", "  \n", "<lora:a:1>"])
def test_an_empty_prompt(wire, prompt):
    with pytest.raises(errors.NotConfigured, match="empty"):
        run(Idea(prompt, PLAIN), endpoint(wire.url))
    wire.script("fox", "A fox.")
    assert run(Idea(prompt, PLAIN, instruction="foxes"), endpoint(wire.url)).prompts[0].endswith("A fox.")


# -- what comes out


def test_the_users_tags_and_weights_survive(wire):
    wire.script("fox", "A red fox, (snow:1.4) and <lora:made_up:1> embedding:bad frost.")
    idea = Idea("<lora:fox:0.8> a (red fox:1.2) in __place__, embedding:easy", PLAIN)
    (prompt,) = run(idea, endpoint(wire.url)).prompts
    assert prompt == "<lora:fox:0.8> A (red fox:1.2) in __place__, snow and frost. embedding:easy"
    asked = wire.calls()[0].body.decode()
    assert "lora:fox" not in asked
    assert "embedding:easy" not in asked


def test_regions_are_written_in_one_call(wire):
    wire.script("fox", "Sure!\n[1] A red fox.\n[2] A grey cat.\nNegative: dogs")
    enhanced = run(Idea("<lora:a:1> a fox\nBREAK\na ((cat)) :0.5", TAGS), endpoint(wire.url))
    assert enhanced.prompts == ["<lora:a:1> A red fox.\nBREAK\nA grey ((cat)). :0.5"]
    assert enhanced.negatives == ["blurry, lowres, dogs"]
    assert enhanced.info["warnings"] == []
    assert len(wire.calls()) == 1


def test_a_model_that_joins_the_regions_is_asked_for_each(wire):
    wire.script("fox", lambda body: f"{idea_in(body).capitalize()} in snow.")
    ideas = [Idea("a fox AND a cat :0.5", PLAIN), Idea("an owl", PLAIN)]
    enhanced = run(ideas, endpoint(wire.url))
    assert enhanced.prompts == ["A fox in snow. AND A cat in snow. :0.5", "An owl in snow."]
    assert len(wire.calls()) == 4
    (warning,) = enhanced.info["warnings"]
    assert "2 parts" in warning
    assert "2 more calls" in warning
    assert enhanced.info["attempts"] == 4


def test_a_refusal_of_several_regions_is_one(wire):
    wire.script("fox", "I'm sorry, but I can't help with that.")
    with pytest.raises(errors.Refused):
        run(Idea("a fox BREAK a cat", PLAIN), endpoint(wire.url))
    assert len(wire.calls()) == 1


def without_model(ideas, error, on_error, **options):
    """The outcome of `open_or_substitute` where the model cannot be opened because of `error`."""

    def fail():
        raise error

    return open_or_substitute(fail, ideas, on_error, **options)


def test_the_phrasebook_writes_each_region():
    from quillwork.prompting import phrasebook

    phrasebook.register()
    error = errors.MissingKey("OpenAI needs a key.")
    ideas = [Idea("<lora:a:1> a fox\nBREAK\n(a cat:1.2) // mine", targets.load("sdxl"), seed=3)]
    (prompt,) = without_model(ideas, error, "phrasebook").prompts
    left, right = prompt.split("\nBREAK\n")
    assert left.startswith("<lora:a:1> a fox")
    assert right.startswith("(a cat:1.2)")
    assert right.endswith(" // mine")
    assert min(len(left), len(right)) > 40


def test_weights_of_a_model_stay_where_they_mean_something(wire):
    wire.script("fox", "red fox, (snow:1.3)")
    assert run(Idea("a fox", TAGS), endpoint(wire.url)).prompts == ["red fox, (snow:1.3)"]


def test_prose_is_one_paragraph_and_sections_are_not(wire):
    wire.script("fox", "A fox.\n\n- Snow.\n- **Sun**.")
    assert run(Idea("a fox", PLAIN), endpoint(wire.url)).prompts == ["A fox. Snow. Sun."]
    sections = Target("s", "S", "g", form="sections")
    assert run(Idea("a fox", sections), endpoint(wire.url)).prompts == ["A fox.\n\n- Snow.\n- **Sun**."]


def test_negatives(wire):
    wire.script("fox", "red fox, snow\nNegative: cats, Blurry")
    assert run(Idea("a fox, no cats", TAGS), endpoint(wire.url)).negatives == ["blurry, lowres, cats"]
    enhanced = run(Idea("a fox, no cats", PLAIN), endpoint(wire.url))
    assert (enhanced.prompts, enhanced.negatives) == (["red fox, snow"], [""])


def test_prefix_and_suffix_are_added_by_code(wire):
    wire.script("fox", "red fox")
    target = Target("x", "X", "g", form="tags", prefix="masterpiece, best quality", suffix="absurdres")
    assert run(Idea("a fox", target), endpoint(wire.url)).prompts == [
        "masterpiece, best quality, red fox, absurdres"
    ]


def test_a_real_target(wire):
    wire.script("fox", "A fox in snow.")
    assert run(Idea("a fox", targets.load("flux1_dev")), endpoint(wire.url)).prompts == ["A fox in snow."]


def test_only_the_prompt_is_shown_while_it_is_written(wire):
    wire.script(
        "fox", "Here is your prompt:\n\n**Prompt:** A red fox in fresh, deep snow.\n\nI hope this helps!"
    )
    model = Model(endpoint(wire.url))
    runner.run(enhance([Idea("a fox", PLAIN)], model))
    assert model.live.texts() == ["A red fox in fresh, deep snow."]


def test_of_several_parts_only_the_prompts_are_shown_while_they_are_written(wire):
    fox = "A red fox stands in fresh, deep snow at dawn."
    owl = "An owl sits on a bare branch above the river at dusk."
    wire.script("fox", f"Sure, here are both:\n\n[1] {fox}\n\n[2] {owl}")
    model = Model(endpoint(wire.url))
    enhanced = runner.run(enhance([Idea("a fox BREAK an owl", PLAIN)], model))
    assert enhanced.prompts == [f"{fox} BREAK {owl}"]
    assert model.live.texts() == [f"{fox}\n\n{owl}"]


def test_thinking_is_no_part_of_the_prompt(wire):
    assert run(Idea("a fox", PLAIN), endpoint(wire.url, "fox-thinktag")).prompts == [
        "a red fox in fresh snow"
    ]


# -- the target's limits

LONG = " ".join(f"The fox number {number} jumps over stone {number}." for number in range(70))
SHORT = "A red fox sits in deep snow at the edge of a wood."
SCHNELL = targets.load("flux1_schnell")
BAD = {
    "long": LONG,
    "language": "Ein roter Fuchs sitzt im tiefen Schnee und schaut in die Kamera, weiches Licht",
    "loop": "A fox, red, red, red, red, red, snow",
    "unchanged": "a fox",
}


@pytest.mark.parametrize("kind", BAD)
def test_what_passes_a_limit_is_asked_for_once_more(wire, kind):
    wire.script("fox", [BAD[kind], SHORT])
    enhanced = run(Idea("a fox", SCHNELL), endpoint(wire.url))
    assert enhanced.prompts == [SHORT]
    first, second = (call.json["messages"] for call in wire.calls())
    assert second[: len(first)] == first
    assert (second[2]["role"], second[2]["content"]) == ("assistant", BAD[kind])
    says = {"long": "560 words", "language": "English", "loop": "red, red", "unchanged": "word for word"}
    assert says[kind] in second[3]["content"]
    (warning,) = enhanced.info["warnings"]
    assert "once more" in warning
    assert enhanced.info["attempts"] == 2
    assert enhanced.info["prompt_tokens"] == 22


@pytest.mark.parametrize(
    ("kind", "prompt", "remedy"),
    [
        ("long", LONG[: LONG.index(" The fox number 10")], "it was shortened"),
        ("language", BAD["language"], "it stands as it was written"),
        ("loop", "A fox, red, snow", "the repetitions were taken out"),
        ("unchanged", "a fox", "it stands as it was written"),
    ],
)
def test_what_is_no_better_is_mended_and_told(wire, kind, prompt, remedy):
    wire.script("fox", BAD[kind])
    enhanced = run(Idea("a fox", SCHNELL), endpoint(wire.url))
    assert enhanced.prompts == [prompt]
    assert len(wire.calls()) == 2
    (warning,) = enhanced.info["warnings"]
    assert remedy in warning


@pytest.mark.parametrize("asked_again", [False, True])
def test_a_voice_without_words_is_told_once(wire, asked_again):
    song = targets.load("ace_step_1_5")
    mute = "caption: {} folk with a female voice.\n\nlyrics:\n[Instrumental]\n\nbpm: 90\n\n"
    mute += "keyscale: C major\n\ntimesignature: 4"
    wire.script("fox", [mute.format("slow"), mute.format("slow folk, tender" if asked_again else "slow")])
    enhanced = run(Idea("a folk song, female voice", song), endpoint(wire.url))
    assert "[Instrumental]" not in enhanced.prompts[0] and len(wire.calls()) == 2
    told = [warning for warning in enhanced.info["warnings"] if "words" in warning or "voice" in warning]
    assert len(told) == 1 and "the lyrics are the phrasebook's" in told[0], told


def test_only_the_variations_that_failed_are_repaired(wire):
    wire.script("fox", lambda body: LONG if body["seed"] == 1 and len(body["messages"]) == 2 else SHORT)
    enhanced = run(Idea("a fox", SCHNELL, variations=4), endpoint(wire.url))
    assert enhanced.prompts == [SHORT] * 4
    assert len(wire.calls()) == 5


@pytest.mark.parametrize("answer", [Answer(), "I'm sorry, but I can't help with that."])
def test_a_repair_that_fails_leaves_the_first_answer(wire, answer):
    wire.script("fox", [BAD["loop"], answer])
    enhanced = run(Idea("a fox", SCHNELL), endpoint(wire.url))
    assert enhanced.prompts == ["A fox, red, snow"]
    assert not enhanced.is_substitute
    assert "taken out" in enhanced.info["warnings"][0]


def test_a_good_answer_costs_one_call(wire):
    wire.script("fox", SHORT)
    assert run(Idea("a fox", SCHNELL, instruction="darker"), endpoint(wire.url)).info["warnings"] == []
    assert len(wire.calls()) == 1


# -- what an answer keeps of its idea

CATS = "two red cats on a blue sofa in Lisbon"
LEFT = "Four red cats sleep on a blue sofa in Lisbon."
KEPT = "Two red cats sleep on a blue sofa by a window in Lisbon."


@pytest.mark.parametrize(
    ("idea", "bad", "good", "said"),
    [
        (CATS, "Three red cats on a blue sofa in Lisbon.", KEPT, "leaves out two"),
        (CATS, "Two red cats on a sofa in Lisbon, by a window.", KEPT, "leaves out blue"),
        (CATS, "Two red cats on a blue sofa by a window at dusk.", KEPT, "leaves out Lisbon"),
        (CATS, "Red cats sleep on a sofa by a window at dusk.", KEPT, "leaves out two, blue, Lisbon"),
        ("a pier without people", "Many people stand on a long pier.", SHORT, "people"),
        (f"{CATS}, seen from the door on a wet evening in May", "Two red cats, blue sofa, Lisbon.",
         f"{KEPT} It rains on an evening in May, and the door is open.", "has 6 words"),
    ],
)  # fmt: skip
def test_what_is_left_out_is_asked_for_once(wire, idea, bad, good, said):
    wire.script("fox", [bad, good])
    enhanced = run(Idea(idea, SCHNELL), endpoint(wire.url))
    assert enhanced.prompts == [good]
    _, second = wire.calls()
    assert said in second.json["messages"][3]["content"]
    (warning,) = enhanced.info["warnings"]
    assert "it was asked for once more" in warning


def test_what_stays_out_is_named(wire):
    wire.script("fox", ["Three cats lie on a blue sofa in Lisbon.", LEFT])
    enhanced = run(Idea(CATS, SCHNELL), endpoint(wire.url))
    assert enhanced.prompts == [LEFT]
    assert len(wire.calls()) == 2
    (warning,) = enhanced.info["warnings"]
    assert warning.startswith("The answer leaves out two: once more asked for, it was no better")


def test_lettering_is_put_in_without_a_call(wire):
    wire.script("fox", "A door with a neon sign over it, in the rain.")
    enhanced = run(Idea('a neon sign "OPEN 24h" over a door', SCHNELL), endpoint(wire.url))
    assert enhanced.prompts == [
        'A door with a neon sign over it, in the rain. The text "OPEN 24h" can be read in the picture.'
    ]
    assert len(wire.calls()) == 1
    (warning,) = enhanced.info["warnings"]
    assert "“OPEN 24h”, so it was put at the end" in warning


def test_a_wish_may_change_what_the_idea_says(wire):
    wire.script("fox", "Four green cats lie on a sofa by the window.")
    assert run(Idea(CATS, SCHNELL, instruction="make it four"), endpoint(wire.url)).info["warnings"] == []
    assert len(wire.calls()) == 1


def test_the_part_that_passes_a_limit_is_named(wire):
    wire.script("fox", [f"[1] {SHORT}\n[2] {LONG}", f"[1] {SHORT}\n[2] A grey cat."])
    enhanced = run(Idea("a fox BREAK a cat", SCHNELL), endpoint(wire.url))
    assert enhanced.prompts == [f"{SHORT} BREAK A grey cat."]
    assert "- Part 2 has 560 words" in wire.calls()[1].json["messages"][3]["content"]


def test_tokens_are_those_of_the_encoder_at_hand(wire):
    wire.script("fox", [" ".join(["word"] * 3 + [f"w{number}" for number in range(70)]), SHORT])
    idea = Idea("a fox", SCHNELL, count_tokens=lambda text: 5 * len(text.split()))
    assert run(idea, endpoint(wire.url)).prompts == [SHORT]
    assert "365 tokens" in wire.calls()[1].json["messages"][3]["content"]


# -- the report


def test_the_report_sums_up(wire):
    enhanced = run(
        Idea("a fox", PLAIN, variations=3), endpoint(wire.url, "fox-fail503x1-retryafter0", retries=1)
    )
    info = enhanced.info
    assert (info["mode"], info["model"], info["provider"]) == (
        "litellm",
        "fox-fail503x1-retryafter0",
        "endpoint",
    )
    assert (info["prompt_tokens"], info["completion_tokens"], info["cost_usd"]) == (33, 21, None)
    assert (info["finish_reason"], info["attempts"], info["warnings"]) == ("stop", 4, [])
    assert info["seconds"] > 0
    assert json.loads(json.dumps(info)) == info


def test_what_is_unknown_of_one_is_unknown_of_all(wire):
    answers = [Answer(pieces=["a"]), Answer(pieces=["b"], usage=None)]
    wire.script("fox", answers)
    info = run(Idea("a fox", PLAIN, variations=2), endpoint(wire.url)).info
    assert (info["prompt_tokens"], info["completion_tokens"]) == (None, None)


def test_an_answer_that_was_cut_is_told(wire):
    enhanced = run(Idea("a fox", PLAIN), endpoint(wire.url, "fox-length"))
    assert enhanced.prompts == ["a red fox in fresh snow"]
    assert enhanced.info["finish_reason"] == "length"
    assert "max_tokens" in enhanced.info["warnings"][0]


def test_half_an_answer_that_a_filter_cut_is_no_prompt(wire):
    wire.script("fox", Answer(pieces=["a red"], finish="content_filter"))
    with pytest.raises(errors.Refused, match="content filter"):
        run(Idea("a fox", PLAIN), endpoint(wire.url))


def test_a_fallbacks_answer_is_a_substitute_and_told(wire):
    deployment = endpoint(wire.url, "fox-status503", fallbacks=(endpoint(wire.url, "owl"),))
    enhanced = run(Idea("a fox", PLAIN), deployment)
    assert enhanced.is_substitute
    assert enhanced.info["model"] == "owl"
    assert "was used instead" in enhanced.info["warnings"][0]


def test_another_name_of_the_same_model_is_no_fallback(wire):
    """A proxy answers in the name of the model behind the alias; a warning beside it means nothing."""
    wire.script("fox", Answer(pieces=["a fox"], finish="length"))
    enhanced = run(Idea("a fox", PLAIN), endpoint(wire.url))
    assert enhanced.info["warnings"]
    assert not enhanced.is_substitute


# -- failures


def test_the_first_error_is_raised(wire):
    with pytest.raises(errors.AuthenticationFailed) as caught:
        run(Idea("a fox", PLAIN), endpoint(wire.url, "fox-status401"))
    assert caught.value.message.startswith("Fox (fox-status401)")


def test_how_many_failed_is_told(wire):
    wire.script("fox", lambda body: Answer() if body["seed"] in (1, 2) else "fine")
    with pytest.raises(
        errors.EmptyAnswer, match=r"2 of 4 prompts failed\. Fox \(fox\) returned an empty answer\."
    ):
        run(Idea("a fox", PLAIN, variations=4), endpoint(wire.url))


def test_a_refusal_is_an_error_and_no_prompt(wire):
    with pytest.raises(errors.Refused) as caught:
        run(Idea("a fox", PLAIN), endpoint(wire.url, "fox-refusal"))
    assert "Fox (fox-refusal) declined" in caught.value.message
    assert caught.value.model == "fox-refusal"


def test_a_negative_alone_is_an_error(wire):
    wire.script("fox", "Negative: cats")
    with pytest.raises(errors.EmptyAnswer, match="only a negative prompt"):
        run(Idea("a fox", TAGS), endpoint(wire.url))


@pytest.mark.parametrize("model", ["fox-status500", "fox-refusal", "fox-empty", "fox-cut", "fox-garbage"])
def test_passthrough_gives_the_users_prompt_and_hides_nothing(wire, model):
    enhanced = run(Idea("<lora:a:1> a fox", TAGS, variations=2), endpoint(wire.url, model), "passthrough")
    assert enhanced.prompts == ["<lora:a:1> a fox"] * 2
    assert enhanced.negatives == ["blurry, lowres"] * 2
    assert enhanced.is_substitute
    (warning,) = enhanced.info["warnings"]
    assert f"Fox ({model})" in warning
    assert "(2 of 2 failed, your prompt was left unchanged)" in warning
    assert enhanced.info["attempts"] == 2


def test_a_partial_failure_keeps_what_succeeded(wire):
    wire.script("fox", lambda body: Answer() if body["seed"] == 1 else f"seed {body['seed']}")
    enhanced = run(Idea("a fox", PLAIN, variations=3), endpoint(wire.url), "passthrough")
    assert enhanced.prompts == ["seed 0", "a fox", "seed 2"]
    assert enhanced.is_substitute
    assert "(1 of 3 failed," in enhanced.info["warnings"][0]
    assert enhanced.info["attempts"] == 3
    assert enhanced.info["mode"] == "litellm"
    assert enhanced.info["prompt_tokens"] == 22


def test_different_errors_are_all_told(wire):
    wire.script(
        "fox", lambda body: Answer() if body["seed"] == 0 else "I'm sorry, but I can't help with that."
    )
    warnings = run(Idea("a fox", PLAIN, variations=2), endpoint(wire.url), "passthrough").info["warnings"]
    assert len(warnings) == 2


def test_the_phrasebook_takes_an_idea_that_repeats_itself():
    from quillwork.prompting import phrasebook

    phrasebook.register()
    idea = "a dragon sleeps on gold coins while a knight watches from behind a rock. " * 60
    enhanced = run(Idea(idea, targets.load("sdxl")), Deployment("phrasebook", ""))
    assert enhanced.prompts[0].startswith(idea[:70])


def test_the_phrasebook_writes_instead(wire):
    from quillwork.prompting import phrasebook

    phrasebook.register()
    enhanced = run(
        Idea("<lora:a:1> a fox", targets.load("flux1_dev"), seed=3),
        endpoint(wire.url, "fox-status500"),
        "phrasebook",
    )
    (prompt,) = enhanced.prompts
    assert prompt.startswith("<lora:a:1> ")
    assert "fox" in prompt
    assert prompt != "<lora:a:1> a fox"
    assert enhanced.is_substitute
    assert "the phrasebook was used instead" in enhanced.info["warnings"][0]
    assert "failed (500)" in enhanced.info["warnings"][0]


def test_a_report_names_a_file_without_its_folder():
    class Silent:
        deployment = Deployment("gguf", "/home/me/models/some.gguf", mode="gguf", provider="gguf")

        async def ask(self, requests, shown=None):
            return [errors.EmptyAnswer(f"{self.deployment.name} was silent.") for _ in requests]

    info = asyncio.run(enhance([Idea("a fox", PLAIN)], Silent(), "passthrough")).info
    assert info["model"] == "some.gguf"
    assert info["warnings"][0].startswith("gguf (some.gguf) was silent.")


def test_without_a_model_to_ask():
    error = errors.MissingKey("OpenAI needs a key.", hint="Set OPENAI_API_KEY.")
    ideas = [Idea("a fox", PLAIN, variations=2)]
    with pytest.raises(errors.MissingKey, match="2 of 2"):
        without_model(ideas, error, "raise")
    error = errors.MissingKey("OpenAI needs a key.", hint="Set OPENAI_API_KEY.")
    enhanced = without_model(ideas, error, "passthrough")
    assert enhanced.prompts == ["a fox"] * 2
    assert enhanced.is_substitute
    assert "Set OPENAI_API_KEY." in enhanced.info["warnings"][0]
    assert (enhanced.info["attempts"], enhanced.info["finish_reason"]) == (0, "error")


def test_an_error_that_asks_for_something_is_raised_in_any_case():
    error = errors.ConsentNeeded("A workflow wants to call OpenAI.")
    ideas = [Idea("a fox", PLAIN)]
    assert without_model(ideas, error, "passthrough").prompts == ["a fox"]
    with pytest.raises(errors.ConsentNeeded):
        without_model(ideas, error, "passthrough", always_raise=(errors.ConsentNeeded,))


def test_a_model_that_opens_is_returned(wire):
    model = Model(endpoint(wire.url))
    assert open_or_substitute(lambda: model, [Idea("a fox", PLAIN)], "raise") is model


def test_a_stop_is_never_turned_into_a_prompt(wire):
    with pytest.raises(errors.Cancelled):
        runner.run(
            enhance([Idea("a fox", PLAIN)], Model(endpoint(wire.url, "fox-hang")), "passthrough"),
            cancelled=lambda: bool(wire.calls()),
        )
    wire.wait_disconnects()


# -- pictures


def test_pictures_go_with_their_ideas(wire):
    pictures = (Image("image/png", b"1"), Image("image/png", b"2"))
    run([Idea("a", PLAIN), Idea("b", PLAIN)], endpoint(wire.url), pictures=pictures)
    sent = {}
    for call in wire.calls():
        text, picture = call.json["messages"][1]["content"]
        sent[text["text"].split("\n")[1]] = picture["image_url"]["url"]
    assert sent == {"a": "data:image/png;base64,MQ==", "b": "data:image/png;base64,Mg=="}


def test_a_model_that_cannot_see(wire):
    blind = endpoint(wire.url, capabilities=Capabilities(vision=False))
    with pytest.raises(errors.CannotSee, match="does not support images"):
        run(Idea("a", PLAIN), blind, pictures=(Image("image/png", b"1"),))
    assert not wire.log


def test_enhancing_waits_on_nothing_else():
    """The coroutine makes no thread and no loop of its own: with no call to make it runs anywhere."""

    async def check():
        with pytest.raises(errors.NotConfigured):
            await enhance([Idea("", PLAIN)], Model(endpoint("http://127.0.0.1:9")))

    asyncio.run(check())


class Parrot:
    """A backend in this process that says the same again and again, and counts how often it was asked."""

    asked = 0

    async def stream(self, request, deployment):
        Parrot.asked += 1
        yield Chunk(text=LONG)
        yield Chunk(finish_reason="stop")

    async def close(self) -> None:
        pass


def test_a_model_in_this_process_is_not_asked_again():
    mode = Mode("parrot_in_process", "Parrot", in_process=True, free=True, is_offered=False)
    registry.register("parrot_in_process", Parrot, replace=True, mode=mode)
    enhanced = run(Idea("a fox", SCHNELL), Deployment("parrot_in_process", "parrot"))
    assert Parrot.asked == 1
    assert enhanced.prompts == [LONG[: LONG.index(" The fox number 10")]]
    (warning,) = enhanced.info["warnings"]
    assert warning.endswith(": it was shortened.")
