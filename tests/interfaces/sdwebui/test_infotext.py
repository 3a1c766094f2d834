"""Parameters of an image that concern Quillwork, and what reading them back restores."""

from __future__ import annotations

import pytest
from interfaces.sdwebui.jobs import Job, generate

from quillwork.interfaces.sdwebui import infotext
from quillwork.interfaces.sdwebui.arguments import Arguments
from quillwork.interfaces.sdwebui.generation import restore
from quillwork.interfaces.sdwebui.infotext import FIELDS, PerImage, arguments_in, without_places

WRITTEN = "a red fox in fresh snow"

pytestmark = pytest.mark.usefixtures("library")


def read_back(job: Job, place: int = 0) -> dict:
    """Return the parameters of one image as a host reads them: texts all of them."""
    params = {
        name: str(value(p=job, index=place, all_prompts=job.all_prompts) if callable(value) else value)
        for name, value in job.extra_generation_params.items()
    }
    params |= {
        "Prompt": job.all_prompts[place],
        "Negative prompt": job.all_negative_prompts[place],
        "Hires prompt": "",
        "Seed": str(job.seed + place),
    }
    return params


def restored(params: dict) -> dict:
    restore("", params)
    return params


EVERYTHING = {
    "mode": "litellm",
    "model": "fox-b",
    "target": "sdxl",
    "instruction": 'at night, "dark": yes',
    "variations": 2,
    "seed": 77,
    "on_error": "passthrough",
    "parts": ["positive", "negative", "hires"],
    "per_image": True,
    "variables": False,
    "generate_missing": True,
    "selection": "cycle",
    "variables_alone": True,
    "no_repeats": True,
}


@pytest.mark.parametrize("named", [{}, EVERYTHING, {"parts": []}, {"parts": ["negative"], "target": "sdxl"}])
def test_prompts_and_controls_come_back(named):
    job = generate(Job(negative_prompt="ugly"), named)
    params = restored(read_back(job))
    assert (params["Prompt"], params["Negative prompt"]) == ("a fox", "ugly")
    values = {name: field(params) for name, field in FIELDS.items()}
    asked = {"enabled": True, **named}
    for name, value in values.items():
        usual = getattr(Arguments(), name)
        expected = asked.get(name, list(usual) if isinstance(usual, tuple) else usual)
        if name == "target":
            expected = {"sdxl": "SDXL"}.get(named.get("target", ""), "Any image model")
        if name in ("mode", "model") and not named.get(name):
            expected = "" if name == "model" else "auto"
            expected = {"mode": "litellm", "model": "fox"}[name] if named.get("parts") != [] else expected
        assert value == expected, name


def test_the_seed_that_followed_goes_on_following():
    job = generate(Job(batch_size=2), {"per_image": True})
    assert arguments_in(read_back(job, 1)).seed == -1
    job = generate(Job(batch_size=2), True)
    assert arguments_in(read_back(job, 0)).seed == -1
    assert arguments_in(read_back(job, 1)).seed == 5, "the second image's text was written with the first's"


def test_generate_after_reading_makes_the_same_and_calls_nobody(wire):
    wire.script("fox*", lambda body: f"seed {body['seed']}")
    job = generate(Job(batch_size=3, prompt="{red|blue|grey} fox"), {"variations": 2, "instruction": "w"})
    params = [restored(read_back(job, place)) for place in range(3)]
    wire.reset()
    for place, one in enumerate(params):
        named = {name: field(one) for name, field in FIELDS.items()}
        again = generate(Job(prompt=one["Prompt"], seed=int(one["Seed"])), named)
        assert again.all_prompts == [job.all_prompts[place]]
    assert wire.log == []


def test_an_image_of_anothers_is_believed_too(wire):
    """Its text comes with it, so that no call is needed, even if one were allowed."""
    params = restored(
        {
            "Prompt": "the text of another",
            "Seed": "9",
            "Quillwork prompt": "a fox",
            "Quillwork mode": "litellm",
            "Quillwork model": "openai/gpt-4o",
            "Quillwork target": "sdxl",
            "Quillwork seed": "9",
        }
    )
    named = {name: field(params) for name, field in FIELDS.items()}
    assert generate(Job(prompt="a fox", seed=9), named).all_prompts == ["the text of another"]
    assert wire.log == []


def test_a_substitute_is_asked_for_anew(wire):
    wire.script("fox-fail500x1", WRITTEN)
    job = generate(Job(), {"model": "fox-fail500x1", "on_error": "passthrough"})
    params = restored(read_back(job))
    named = {name: field(params) for name, field in FIELDS.items()}
    assert generate(Job(), named).all_prompts == [WRITTEN]


def test_an_image_without_us_switches_us_off():
    params = {"Prompt": "a fox", "Seed": "5"}
    assert not infotext.restore_prompts(params)
    assert params == {"Prompt": "a fox", "Seed": "5"}
    assert FIELDS["enabled"](params) is False
    assert [name for name, field in FIELDS.items() if field(params) is not None] == ["enabled"]


def test_programs_get_the_enhanced_prompt_and_no_second_enhancement():
    job = generate(Job(), True)
    assert FIELDS["enabled"](read_back(job)) is False, "only the page puts the user's own prompt back"


def test_an_empty_original_comes_back_empty():
    job = generate(
        Job(prompt="", negative_prompt=""),
        {"instruction": "a fox", "target": "sdxl", "parts": ["positive", "negative"]},
    )
    params = restored(read_back(job))
    assert (params["Prompt"], params["Negative prompt"]) == ("", "")


def test_hires_prompts_come_back():
    job = generate(Job(enable_hr=True, hr_prompt="detail"), {"parts": ["positive", "hires"]})
    params = read_back(job) | {"Hires prompt": job.all_hr_prompts[0]}
    assert restored(params)["Hires prompt"] == "detail"


# -- values that differ from image to image


def test_a_value_for_each_image():
    job = Job(batch_size=2, n_iter=2)
    job.all_prompts = ["a", "b", "c", "d"]
    value = PerImage(["1", "2", "3", None])
    assert str(value) == "1", "hosts that take texts only show the first"
    assert [value(p=job, index=place, all_prompts=job.all_prompts) for place in range(4)] == [
        "1",
        "2",
        "3",
        None,
    ]
    job.iteration = 1
    assert value(p=job, index=0, all_prompts=job.all_prompts[2:], more="x") == "3", "a batch counts from 0"
    assert value(p=job, index=0, all_prompts=job.all_prompts[2:], use_main_prompt=True) == "1"


@pytest.mark.parametrize(
    ("error", "left"),
    [
        ("ollama.lan:11434 (fox) failed.", "… (fox) failed."),
        ("See https://a.example/x?key=1 now.", "See … now."),
        ("Nothing at http://127.0.0.1:11434. Start it.", "Nothing at …. Start it."),
        ("There is no /home/ann/models/x here.", "There is no … here."),
        (r"There is no C:\Users\ann\x here.", "There is no … here."),
        ("Choose ollama/llama3.2 or org/name.", "Choose ollama/llama3.2 or org/name."),
        ("Set it to 1/2, at 10:30.", "Set it to 1/2, at …."),
    ],
)
def test_places_do_not_travel_with_a_picture(error, left):
    assert without_places(error) == left
    assert without_places("proxy.lan (x) failed", "proxy.lan") == "The endpoint (x) failed"
