"""Generation on a plain processing object: the request, the places of the answers, the effect of an error."""

from __future__ import annotations

import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import pytest
from interfaces.sdwebui.jobs import Job, generate

from quillwork.interfaces.sdwebui import generation
from quillwork.interfaces.sdwebui.generation import NO_MODEL, PLOT, QuillworkError, apply, prepare, restore
from quillwork.interfaces.sdwebui.infotext import arguments_in
from quillwork.interfaces.sdwebui.writing import SKIPPED
from quillwork.llm_backends.runner import runner

WRITTEN = "a red fox in fresh snow"

pytestmark = pytest.mark.usefixtures("library")


def idea_in(body: dict) -> str:
    return body["messages"][-1]["content"].removeprefix("Idea:\n").split("\n")[0]


def numbered(wire) -> None:
    """Have the model answer with the idea and the seed that it was asked with."""
    wire.script("fox*", lambda body: f"{idea_in(body)}, seed {body['seed']}")


def test_disabled_touches_nothing(wire):
    job = Job(seed=-1)
    before = dict(vars(job))
    prepare(job, [False, "litellm", "fox"])
    assert vars(job) == before
    assert wire.log == []


def test_one_for_all(wire):
    job = generate(Job(batch_size=2, n_iter=2), True)
    assert job.all_prompts == [WRITTEN] * 4
    assert job.main_prompt == WRITTEN
    assert job.prompt == "a fox", "the next job with this object would enhance what is enhanced"
    assert job.all_negative_prompts == [""] * 4
    assert len(wire.calls()) == 1
    assert job.extra_generation_params == {
        "Quillwork prompt": "a fox",
        "Quillwork mode": "litellm",
        "Quillwork model": "fox",
        "Quillwork target": "general",
        "Quillwork seed": "5",
    }


def test_one_for_each_image(wire):
    numbered(wire)
    job = generate(Job(batch_size=3), {"per_image": True})
    assert job.all_prompts == ["a fox, seed 5", "a fox, seed 6", "a fox, seed 7"]
    job = generate(Job(batch_size=2), {"per_image": True, "seed": 100})
    assert job.all_prompts == ["a fox, seed 100", "a fox, seed 101"]
    job = generate(Job(batch_size=2, subseed_strength=0.5), {"per_image": True, "instruction": "w"})
    assert job.all_prompts == ["a fox, seed 5"] * 2, "with a variation strength all images have one seed"


def test_variations_are_taken_in_turn(wire):
    numbered(wire)
    job = generate(Job(n_iter=5), {"variations": 2})
    assert job.all_prompts == ["a fox, seed 5", "a fox, seed 6"] * 2 + ["a fox, seed 5"]
    assert len(wire.calls()) == 2
    assert "variation 2 of 2" in str(wire.calls()[1].json) or "variation 2 of 2" in str(wire.calls()[0].json)
    label = job.extra_generation_params["Quillwork variation"]
    assert [label(p=job, index=place, all_prompts=job.all_prompts) for place in range(5)] == list("12121")
    wire.reset()
    generate(Job(), {"variations": 5})
    assert len(wire.calls()) == 1, "more were asked for than there are images"


def test_a_list_of_prompts(wire):
    numbered(wire)
    job = generate(Job(prompt=["a fox", "an owl"], seed=[1, 2]), {"per_image": True})
    assert job.all_prompts == ["a fox, seed 1", "an owl, seed 2"]


def test_styles_stay_around_it():
    job = generate(Job(), True, before="masterpiece, ", after=", 4k")
    assert job.all_prompts == [f"masterpiece, {WRITTEN}, 4k"]


def test_a_seed_that_the_host_would_draw_is_drawn_once(wire):
    job = generate(Job(seed=-1), True)
    assert 0 <= job.seed < 2**32
    assert wire.calls()[0].json["seed"] == job.seed % 2**31


def test_variables_are_resolved_image_by_image(wire, library):
    (library / "animal.txt").write_text("fox\nowl\nbear\n")
    numbered(wire)
    job = generate(Job(prompt="a __animal__ in {snow|rain}", batch_size=8), True)
    ideas = {text.rpartition(", seed ")[0] for text in job.all_prompts}
    assert len(ideas) > 2
    assert all(f"a {animal} in" in " ".join(ideas) for animal in ("fox", "owl", "bear"))
    again = generate(Job(prompt="a __animal__ in {snow|rain}", seed=8, batch_size=1), {"parts": []})
    assert job.all_prompts[3].startswith(again.all_prompts[0]), "seed 8 picks as the fourth image from 5 on"
    assert len(wire.calls()) == len(ideas)


def test_variables_alone_call_nobody(wire, library):
    (library / "animal.txt").write_text("owl\n")
    job = generate(Job(prompt="an __animal__", negative_prompt="no __animal__"), {"parts": []})
    assert (job.all_prompts, job.all_negative_prompts) == (["an owl"], ["no owl"])
    assert wire.log == []
    assert job.extra_generation_params["Quillwork prompt"] == "an __animal__"
    assert job.extra_generation_params["Quillwork negative"] == "no __animal__"


def test_variables_can_be_left_to_another_extension(wire):
    wire.script("fox", "a fine __animal__ in {snow|rain}")
    job = generate(Job(prompt="an __animal__ in {snow|rain}"), {"variables": False})
    assert job.all_prompts == ["a fine __animal__ in {snow|rain}"]


def test_a_missing_variable_is_invented_where_that_is_wished(wire, library):
    wire.script("fox-b", '{"values": ["drizzle"]}')
    job = generate(
        Job(prompt="a fox in __weather__"), {"generate_missing": True, "parts": [], "model": "fox-b"}
    )
    assert job.all_prompts == ["a fox in drizzle"]
    assert (library / "weather.txt").read_text().strip().endswith("drizzle")
    assert "Quillwork left" not in job.extra_generation_params


@pytest.mark.parametrize("no_repeats", [False, True])
def test_no_value_comes_twice_in_one_prompt_where_that_is_wished(library, no_repeats):
    (library / "animal.txt").write_text("owl\nbear\n")
    job = Job(prompt="__animal__ and __animal__", seed=0, batch_size=8)
    said = set(generate(job, {"parts": [], "no_repeats": no_repeats}).all_prompts)
    assert (said <= {"owl and bear", "bear and owl"}) == no_repeats


def test_variables_are_resolved_without_enhancing_when_asked(wire, library):
    (library / "animal.txt").write_text("owl\nbear\n")
    asked = {"enabled": False, "variables_alone": True}
    job = generate(Job(prompt="{an|the} __animal__", batch_size=8), asked)
    assert {text.split()[1] for text in job.all_prompts} == {"owl", "bear"}
    assert wire.log == []
    params = job.extra_generation_params
    assert (params["Quillwork prompt"], params["Quillwork mode"]) == ("{an|the} __animal__", "none")
    pasted = {name: str(value) for name, value in params.items()}
    pasted |= {"Prompt": job.all_prompts[0], "Seed": "5"}
    restore("", pasted)
    assert pasted["Prompt"] == "{an|the} __animal__"
    arguments = arguments_in(pasted)
    assert (arguments.enabled, arguments.variables_alone) == (False, True)
    assert generate(Job(prompt="{an|the} __animal__"), asked).all_prompts == job.all_prompts[:1]
    untouched = generate(Job(prompt="{an|the} __animal__"), {"enabled": False})
    assert (untouched.all_prompts, untouched.extra_generation_params) == (["{an|the} __animal__"], {})
    enhanced = generate(Job(prompt="{an|the} __animal__"), True)
    assert enhanced.all_prompts == [WRITTEN], "what was resolved alone was taken for what a model wrote"


@pytest.mark.parametrize("batch_size", [1, 2, 4, 9])
def test_combinations_make_as_many_images_as_there_are(library, batch_size):
    (library / "animal.txt").write_text("owl\nbear\nfox\n")
    asked = {"parts": [], "selection": "combinations", "count": 100}
    job = generate(Job(prompt="a {red|blue} __animal__", batch_size=batch_size, n_iter=3), asked)
    assert sorted(job.all_prompts) == sorted(
        f"a {colour} {animal}" for colour in ("red", "blue") for animal in ("owl", "bear", "fox")
    )
    assert job.batch_size * job.n_iter >= 6 > job.batch_size * (job.n_iter - 1)
    job = generate(Job(prompt="a {red|blue} __animal__", batch_size=batch_size), {**asked, "count": 5})
    assert len(set(job.all_prompts)) == len(job.all_prompts) == 5


def test_values_in_turn_and_a_number_of_images(library):
    asked = {"parts": [], "selection": "cycle", "count": 4}
    assert generate(Job(prompt="{a|b|c}", seed=3), asked).all_prompts == ["a", "b", "c", "a"]
    job = generate(Job(prompt="{a|b|c}", seed=3, subseed_strength=0.5), asked)
    assert job.all_prompts == ["a", "b", "c", "a"]
    assert len(generate(Job(prompt="a fox"), {"count": 3}).all_prompts) == 3
    with pytest.raises(QuillworkError, match="count cannot be"):
        generate(Job(), {"count": 1001})


def test_combinations_count_what_is_invented_first(wire, library):
    wire.script("fox", '{"values": ["drizzle", "hail"]}')
    asked = {"parts": [], "selection": "combinations", "count": 100, "generate_missing": True}
    job = generate(Job(prompt="{red|blue} __weather__"), asked)
    assert len(job.all_prompts) == len(set(job.all_prompts)) == 4


@pytest.mark.parametrize("prompt", ["", "  ", "<lora:ink:0.8>"])
def test_an_empty_prompt_with_a_target_gets_a_whole_one(wire, prompt):
    wire.script("fox", "a heron on a pier")
    job = generate(Job(prompt=prompt), {"target": "sdxl"})
    assert "a heron on a pier" in job.all_prompts[0]
    assert "invent one" in wire.calls()[0].json["messages"][-1]["content"]
    job = generate(Job(prompt=prompt), {"target": "flux1_dev", "mode": "phrasebook"})
    assert " near the " in job.all_prompts[0]
    with pytest.raises(QuillworkError, match="The prompt is empty"):
        generate(Job(prompt=prompt), {"target": "plain"})  # it only tidies up


@pytest.mark.parametrize("model", ["fox-status401", "fox-status403"])
def test_a_providers_refusal_is_not_the_hosts_own_401(model):
    with pytest.raises(QuillworkError) as caught:
        generate(Job(), {"model": model})
    assert caught.value.status_code in (403, 502)


@pytest.mark.parametrize("generate_missing", [False, True])
def test_what_nobody_here_knows_is_left_for_others_and_told(wire, library, generate_missing):
    wire.script("fox", "a red fox in fresh snow")
    template = "a fox in __no/*__, __con__, {2$$__../up__}, ${hat}, __one, two__"
    job = generate(Job(prompt=template, negative_prompt="__con__"), {"generate_missing": generate_missing})
    (text,) = job.all_prompts
    for piece in template.removeprefix("a fox in ").split(", "):
        assert piece in text
    assert job.all_negative_prompts == ["__con__"]
    assert job.extra_generation_params["Quillwork left"] == ("__con__; __../up__; __one, two__; __no/*__")
    assert "Quillwork error" not in job.extra_generation_params
    comments = " ".join(job.comments)
    for piece in ("__no/*__ stays", "`${hat}` stays", "__one, two__ stays"):
        assert piece in comments


def test_a_broken_file_of_the_users_own_is_told_and_stops_nothing(library):
    (library / "circle.txt").write_text("a __circle__\n")
    job = generate(Job(prompt="__circle__"), {"on_error": "passthrough", "parts": []})
    assert job.all_prompts == ["__circle__"]
    assert "Quillwork error" not in job.extra_generation_params
    assert any("refers back to itself" in comment for comment in job.comments)


def test_the_users_own_survives(wire):
    wire.script("fox", "a red fox, snow")
    job = generate(Job(prompt="<lora:ink:0.8> a fox, (snow:1.2), \\(cat\\) <lora:b:1>"), {"target": "sdxl"})
    (text,) = job.all_prompts
    assert text.startswith("<lora:ink:0.8> ")
    assert text.endswith("<lora:b:1>")
    assert "(snow:1.2)" in text


def test_regions_are_written_each_for_itself(wire):
    wire.script("fox", "[1] a red fox, snow\n[2] a grey cat, mat")
    prompt = "<lora:ink:0.8> a [fox], BREAK # mine\na cat, ((mat)) AND <lora:b:1> :0.5"
    job = generate(Job(prompt=prompt), {"target": "sdxl"})
    assert job.all_prompts == [
        "<lora:ink:0.8> a red [fox], snow, BREAK # mine\na grey cat, ((mat)) AND <lora:b:1> :0.5"
    ]
    assert len(wire.calls()) == 1


# -- negative and hires prompts


def test_the_negative_prompt_grows_behind_the_users_own():
    arguments = {"target": "sdxl", "parts": ["positive", "negative"]}
    job = generate(Job(negative_prompt="(ugly:1.3), Blurry"), arguments)
    assert job.all_negative_prompts == ["(ugly:1.3), Blurry, low quality, deformed, watermark, text"]
    assert job.main_negative_prompt == job.all_negative_prompts[0]
    assert job.extra_generation_params["Quillwork negative"] == "(ugly:1.3), Blurry"
    job = generate(Job(), arguments)
    assert job.extra_generation_params["Quillwork negative"] == "(none)"


def test_the_negative_prompt_alone():
    job = generate(Job(), {"target": "sdxl", "parts": ["negative"]})
    assert job.all_prompts == ["a fox"]
    assert job.all_negative_prompts[0].startswith("low quality")


def test_hires_prompts_follow():
    job = generate(Job(enable_hr=True), {"target": "sdxl", "parts": ["positive", "negative"]})
    assert job.all_hr_prompts == [WRITTEN]
    assert job.all_hr_negative_prompts == job.all_negative_prompts
    assert "Quillwork hires prompt" not in job.extra_generation_params
    again = generate(job, True)
    assert again.all_hr_prompts == [WRITTEN], "the host had filled in the hires prompt of the same object"


@pytest.mark.parametrize(
    ("parts", "expected"), [(["positive"], "detail"), (["positive", "hires"], "detail, seed 5")]
)
def test_an_own_hires_prompt_is_enhanced_when_asked(wire, parts, expected):
    numbered(wire)
    job = generate(Job(enable_hr=True, hr_prompt="detail", batch_size=2), {"parts": parts})
    assert job.all_prompts == ["a fox, seed 5"] * 2
    assert job.all_hr_prompts == [expected] * 2
    assert job.extra_generation_params.get("Quillwork hires prompt") == (
        "detail" if "hires" in parts else None
    )


def test_an_own_hires_negative():
    arguments = {"target": "sdxl", "parts": ["positive", "negative", "hires"]}
    job = generate(Job(enable_hr=True, negative_prompt="ugly", hr_negative_prompt="soft"), arguments)
    assert job.all_negative_prompts[0].startswith("ugly, low quality")
    assert job.all_hr_negative_prompts[0].startswith("soft, low quality")


# -- errors


def test_an_error_ends_the_generation_where_the_host_looks_next(wire):
    job = Job()
    prepare(job, [{"model": "fox-status500"}])
    for look in (lambda: job.override_settings.keys(), lambda: job.override_settings.copy(), job.init):
        with pytest.raises(QuillworkError, match=r"failed \(500\)") as caught:
            look()
    assert caught.value.status_code == 502
    assert caught.value.__cause__ is None


def test_a_fault_of_ours_ends_it_with_a_sentence_and_a_line_in_the_log(monkeypatch, caplog):
    monkeypatch.setattr(generation, "_write", lambda *_: {}["no such key"])
    job = Job()
    prepare(job, [{}])
    with pytest.raises(QuillworkError, match=r"internal error\. See the web UI's log") as caught:
        job.override_settings.keys()
    assert caught.value.status_code == 500
    assert "KeyError: 'no such key'" in caplog.text


class JobOfControl(Job):
    """Job of SD.Next's Control tab, which swallows errors until the job is closed."""

    closed = restored = False

    def close(self):
        self.closed = True

    @property
    def sd_model(self):
        return SimpleNamespace(restore_pipeline=lambda: setattr(self, "restored", True))


def test_an_error_ends_a_job_of_the_control_tab_when_it_is_closed():
    job = JobOfControl()
    prepare(job, [{"mode": "<b>"}])
    with pytest.raises(QuillworkError, match="mode cannot be &#x27;&lt;b&gt;&#x27;") as caught:
        job.close()
    assert (caught.value.status_code, job.closed, job.restored) == (400, True, True)
    assert "'<b>'" in caught.value.detail


def test_an_argument_that_cannot_be_meant_ends_it_too(wire):
    with pytest.raises(QuillworkError, match="variations cannot be"):
        generate(Job(), {"variations": 0})
    with pytest.raises(QuillworkError, match="no target"):
        generate(Job(), {"target": "nosuch"})
    assert wire.log == []


def test_passthrough_says_so_without_naming_a_place(wire):
    job = generate(Job(), {"model": "fox-status500", "on_error": "passthrough"})
    assert job.all_prompts == ["a fox"]
    fault = job.extra_generation_params["Quillwork error"]
    assert fault.startswith("The endpoint (fox-status500) failed (500)")
    assert "127.0.0.1" not in fault
    assert any("127.0.0.1" in comment for comment in job.comments), "the user may know"


def test_the_phrasebook_stands_in(wire):
    job = generate(Job(), {"model": "fox-status500", "on_error": "phrasebook"})
    assert job.all_prompts[0] != "a fox"
    assert job.extra_generation_params["Quillwork mode"] == "phrasebook"
    assert "failed (500)" in job.extra_generation_params["Quillwork error"]


def test_no_model_at_all(monkeypatch):
    monkeypatch.delenv("LLM_BASE_URL")
    monkeypatch.delenv("LLM_MODEL")
    job = generate(Job(), True)
    assert job.all_prompts[0] != "a fox"
    assert job.comments == [NO_MODEL]
    assert generate(Job(), {"mode": "phrasebook"}).comments == [], "it was asked for"


def test_what_needs_a_yes_is_not_called(wire, monkeypatch):
    monkeypatch.delenv("LLM_BASE_URL")
    with pytest.raises(QuillworkError, match="not allowed on this machine") as caught:
        generate(Job(), {"model": "openai/gpt-4o-mini"})
    assert caught.value.status_code == 403
    assert str(caught.value).endswith("Allow it once on the Quillwork tab, under Settings.")


def test_a_mode_that_this_host_cannot_have_says_so(monkeypatch):
    with pytest.raises(QuillworkError, match=r"mode cannot be 'host_encoder'\. Choose one of auto, litellm"):
        generate(Job(), {"mode": "host_encoder"})
    monkeypatch.setenv("LLM_MODE", "host_encoder")
    monkeypatch.delenv("LLM_MODEL")
    with pytest.raises(QuillworkError, match="choose another mode"):
        generate(Job(), True)


# -- the same again


def test_the_same_again_calls_nobody(wire):
    numbered(wire)
    first = generate(Job(batch_size=2), {"per_image": True}).all_prompts
    wire.reset()
    assert generate(Job(batch_size=2), {"per_image": True}).all_prompts == first
    assert wire.log == []
    generate(Job(batch_size=3), {"per_image": True})
    assert len(wire.calls()) == 1, "only the third image is new"


def test_the_upscale_button_of_one_image_gives_its_text(wire):
    numbered(wire)
    job = generate(Job(batch_size=3), {"variations": 3})
    wire.reset()
    for place, text in enumerate(job.all_prompts):
        assert generate(Job(seed=5 + place), {"variations": 3}).all_prompts == [text]
    assert wire.log == []


@pytest.mark.parametrize(
    "change", [{"instruction": "w"}, {"seed": 9}, {"target": "sdxl"}, {"model": "fox-b"}, {"variations": 2}]
)
def test_another_wish_is_another_call(wire, change):
    generate(Job(), True)
    generate(Job(), change)
    assert len(wire.calls()) == 2


def test_a_substitute_is_not_kept(wire):
    wire.script("fox-fail500x1", WRITTEN)
    arguments = {"model": "fox-fail500x1", "on_error": "passthrough"}
    assert generate(Job(), arguments).all_prompts == ["a fox"]
    assert generate(Job(), arguments).all_prompts == [WRITTEN]


def test_the_same_object_again(wire):
    job = generate(Job(), {"model": "fox-status500", "on_error": "passthrough"})
    generate(job, True)
    assert "Quillwork error" not in job.extra_generation_params
    generate(job, False)
    assert job.extra_generation_params == {}
    assert job.all_prompts == ["a fox"]


# -- plots


def test_a_cell_of_a_plot(wire):
    numbered(wire)
    job = Job()
    setattr(job, PLOT, {"target": "SDXL", "first": 2})
    generate(job, False)
    assert job.extra_generation_params["Quillwork target"] == "sdxl"
    assert job.extra_generation_params["Quillwork variation"] == "3"
    (call,) = wire.calls()
    assert call.json["seed"] == 7
    assert "variation 3 of 3" in call.json["messages"][-1]["content"]


def test_the_runner_is_left_as_it_was():
    """An error in the host's thread does not affect the thread of the calls."""
    with pytest.raises(QuillworkError):
        generate(Job(), {"model": "fox-cut"})

    async def alive() -> str:
        return "alive"

    assert runner.run(alive()) == "alive"


# -- stop and skip


@pytest.fixture
def state(monkeypatch) -> SimpleNamespace:
    """Return the state of a host."""
    package = ModuleType("modules")
    state = SimpleNamespace(interrupted=False, skipped=False, stopping_generation=False, textinfo=None)
    package.shared = SimpleNamespace(state=state)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", package)
    return state


def pressed_meanwhile(state: SimpleNamespace, wire, button: str, model: str) -> Job:
    """Return a job whose call is under way when somebody presses a button."""
    job = Job()
    working = threading.Thread(target=prepare, args=(job, [{"model": model}]))
    working.start()
    wire.wait_calls()
    setattr(state, button, True)
    working.join(15)
    assert not working.is_alive(), "it is still waiting"
    return job


@pytest.mark.parametrize("button", ["interrupted", "stopping_generation"])
def test_an_interrupt_leaves_the_rest_to_the_host(state, wire, button):
    job = pressed_meanwhile(state, wire, button, "fox-hang")
    wire.wait_disconnects()
    assert (job.extra_generation_params, job.comments) == ({}, [])
    assert job.override_settings == {}, "it is no error"
    assert getattr(state, button), "the host, too, is to see it"
    assert state.textinfo is None


def test_an_interrupt_that_the_host_forgets_is_told_again(state, wire):
    """SD.Next begins anew after our turn, twice."""
    job = pressed_meanwhile(state, wire, "interrupted", "fox-hang")
    state.interrupted = False
    job.init(["a fox"], [5], [0])
    assert state.interrupted is True


def test_skip_goes_on_with_the_users_own_prompt(state, wire):
    job = pressed_meanwhile(state, wire, "skipped", "fox-hang")
    wire.wait_disconnects()
    assert state.skipped is False, "the image that comes is not to be skipped"
    assert job.extra_generation_params["Quillwork error"] == SKIPPED
    job.lay_out()
    apply(job)
    assert job.all_prompts == ["a fox"]


def test_the_text_is_shown_while_it_is_written(state, wire):
    seen: list = []
    job = Job()
    working = threading.Thread(target=prepare, args=(job, [{"model": "fox-gap100-chunks20"}]))
    working.start()
    while working.is_alive():
        seen.append(state.textinfo)
        time.sleep(0.02)
    assert any(text and text.startswith("Quillwork: a red") for text in seen)
    assert state.textinfo is None
