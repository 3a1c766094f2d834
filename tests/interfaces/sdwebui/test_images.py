"""The host's processing object, read and written."""

from __future__ import annotations

from interfaces.sdwebui.jobs import Job

from quillwork.interfaces.sdwebui.host.lookup import Styling
from quillwork.interfaces.sdwebui.images import Texts, images_of, lay_out


def fixed(seed: object) -> int:
    return 77 if seed == -1 else int(seed)  # type: ignore[call-overload]


AS_IT_IS = Styling(list, list, list)


def test_texts_and_seeds_of_each_image():
    job = Job(prompt="p", negative_prompt="n", batch_size=2, n_iter=2, seed=-1)
    assert [(image.seed, image.texts) for image in images_of(job, fixed)] == [
        (77 + place, Texts("p", "n")) for place in range(4)
    ]
    assert job.seed == 77


def test_lists_are_taken_one_by_one():
    job = Job(prompt=["a", "b"], negative_prompt="n", seed=[3, 9])
    assert [(image.seed, image.texts.prompt) for image in images_of(job, fixed)] == [(3, "a"), (9, "b")]
    job = Job(prompt="p", negative_prompt=["n", "m"])
    assert [image.texts for image in images_of(job, fixed)] == [Texts("p", "n"), Texts("p", "m")]


def test_hires_texts_count_where_they_say_something_of_their_own():
    job = Job(prompt="p", negative_prompt="n", hr_prompt="h", hr_negative_prompt="n")
    assert images_of(job, fixed)[0].texts == Texts("p", "n"), "there is no second pass"
    job.enable_hr = True
    assert images_of(job, fixed)[0].texts == Texts("p", "n", "h", "")


def test_what_other_extensions_added_stays():
    job = Job()
    job.all_prompts, job.all_negative_prompts = ["trigger, a fox, 4k"], [""]
    lay_out(job, [Texts("a fox")], [Texts("a red fox", "ugly")], AS_IT_IS)
    assert (job.all_prompts, job.all_negative_prompts) == (["trigger, a red fox, 4k"], ["ugly"])


def test_a_style_that_holds_the_same_words():
    job = Job()
    job.all_prompts, job.all_negative_prompts = ["art of a cat, a"], [""]
    styled = Styling(lambda texts: [f"art of a cat, {text}" for text in texts], list, list)
    lay_out(job, [Texts("a")], [Texts("b")], styled)
    assert job.all_prompts == ["art of a cat, b"]


def test_what_did_not_change_is_left_alone_and_more_images_than_were_known():
    job = Job()
    job.all_prompts, job.all_negative_prompts = ["x", "a fox", "a fox"], ["n"] * 3
    lay_out(job, [Texts("a fox", "n")], [Texts("an owl", "n")], AS_IT_IS)
    assert job.all_prompts == ["an owl"] * 3
    assert job.all_negative_prompts == ["n"] * 3
