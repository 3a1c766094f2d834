"""A generation without an image model: prompts, seeds, the scripts' turns, a picture of one colour."""

from __future__ import annotations

import json
import random
from typing import Any

from PIL import Image

from modules import sd_models, shared
from modules.infotext_utils import quote
from modules.shared import state

NEWEST = 4294967294


class StableDiffusionProcessing:
    """A job. Unknown arguments become fields, as the many of the hosts' are."""

    is_api = False
    scripts: Any = None
    script_args: Any = ()

    def __init__(self, prompt: Any = "", negative_prompt: Any = "", **more: Any) -> None:
        self.prompt, self.negative_prompt = prompt, negative_prompt
        self.seed, self.subseed, self.subseed_strength = -1, -1, 0
        self.batch_size = self.n_iter = self.steps = 1
        self.width = self.height = 64
        self.cfg_scale, self.sampler_name = 7.0, "Euler"
        self.styles: list[str] = []
        self.extra_generation_params: dict[str, Any] = {}
        self.override_settings: dict[str, Any] = {}
        self.comments: dict[str, int] = {}
        self.all_prompts: Any = None
        self.all_negative_prompts: Any = None
        self.all_seeds: Any = None
        self.all_subseeds: Any = None
        self.iteration = 0
        vars(self).update(more)

    if shared.cmd_opts.style != "sdnext":

        def comment(self, text: str) -> None:
            """Show a remark below the images."""
            self.comments[text] = 1

    if shared.cmd_opts.style != "sdnext":

        def setup_prompts(self) -> None:
            count = self.batch_size * self.n_iter
            self.all_prompts = self.prompt if isinstance(self.prompt, list) else count * [self.prompt]
            negative = self.negative_prompt
            self.all_negative_prompts = (
                negative if isinstance(negative, list) else [negative] * len(self.all_prompts)
            )
            self.main_prompt, self.main_negative_prompt = self.all_prompts[0], self.all_negative_prompts[0]

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        pass

    def close(self) -> None:
        pass


class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    def __init__(self, **more: Any) -> None:
        self.enable_hr, self.hr_prompt, self.hr_negative_prompt = False, "", ""
        self.all_hr_prompts: Any = None
        self.all_hr_negative_prompts: Any = None
        super().__init__(**more)

    if shared.cmd_opts.style != "sdnext":

        def setup_prompts(self) -> None:
            super().setup_prompts()
            if not self.enable_hr:
                return
            count = len(self.all_prompts)
            self.hr_prompt = self.hr_prompt or self.prompt
            self.hr_negative_prompt = self.hr_negative_prompt or self.negative_prompt
            self.all_hr_prompts = count * [self.hr_prompt]
            self.all_hr_negative_prompts = count * [self.hr_negative_prompt]


class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    def __init__(self, **more: Any) -> None:
        self.init_images: list[Any] = []
        self.denoising_strength = 0.75
        super().__init__(**more)


class StableDiffusionProcessingControl(StableDiffusionProcessingTxt2Img):
    """A job of SD.Next's Control tab."""


class Processed:
    """The result of a job."""

    def __init__(
        self, p: Any, images_list: list[Any], seed: int = -1, info: str = "", infotexts: Any = None, **_: Any
    ) -> None:
        self.images, self.seed, self.info = images_list, seed, info
        self.infotexts = infotexts or [info]
        self.index_of_first_image = 0
        self.extra_images: list[Any] = []
        self.comments = "\n".join(p.comments)
        self.prompt, self.negative_prompt = p.all_prompts[0], p.all_negative_prompts[0]
        for name in ("all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds"):
            setattr(self, name, getattr(p, name))
        self.extra_generation_params = p.extra_generation_params

    def js(self) -> str:
        names = ("prompt", "all_prompts", "negative_prompt", "all_negative_prompts", "seed", "all_seeds")
        shown = {name: getattr(self, name) for name in (*names, "infotexts")}
        shown["extra_generation_params"] = {
            name: value for name, value in self.extra_generation_params.items() if not callable(value)
        }
        return json.dumps(shown, default=repr)


def get_fixed_seed(seed: Any) -> int:
    return random.randrange(NEWEST) if seed in (None, "", -1, "-1") else int(seed)


def fix_seed(p: Any) -> None:
    p.seed, p.subseed = get_fixed_seed(p.seed), get_fixed_seed(p.subseed)


def create_infotext(
    p: Any, all_prompts: list[str], all_seeds: list[int], index: int, all_negative_prompts: list[str]
) -> str:
    """The text that goes into image `index` of the lists, which hold one batch."""
    prompt, negative = all_prompts[index], all_negative_prompts[index]
    place = index + p.iteration * p.batch_size
    parameters = {
        "Steps": p.steps,
        "Sampler": p.sampler_name,
        "CFG scale": p.cfg_scale,
        "Seed": all_seeds[index],
        "Size": f"{p.width}x{p.height}",
        **p.extra_generation_params,
    }
    if getattr(p, "all_hr_prompts", None) and p.all_hr_prompts[place] != prompt:
        parameters["Hires prompt"] = p.all_hr_prompts[place]
    if getattr(p, "all_hr_negative_prompts", None) and p.all_hr_negative_prompts[place] != negative:
        parameters["Hires negative prompt"] = p.all_hr_negative_prompts[place]
    if shared.cmd_opts.style != "sdnext":
        # One value an image (of the batch, which is a fault of the hosts), or a function of it; SD.Next
        # writes any value as it is.
        for name, value in parameters.items():
            if isinstance(value, list):
                parameters[name] = value[index]
            elif callable(value):
                parameters[name] = value(p=p, index=index, all_prompts=all_prompts, all_seeds=all_seeds)
    elif isinstance(parameters.get("Wildcards"), list):
        parameters["Wildcards"] = ", ".join(parameters["Wildcards"])
    last = ", ".join(
        name if name == value else f"{name}: {quote(value)}"
        for name, value in parameters.items()
        if value is not None
    )
    lines = [prompt, f"Negative prompt: {negative}" if negative else ""]
    if shared.cmd_opts.style == "sdnext":  # what was typed
        lines.append(f"Template: {p.all_templates[place]}" if p.all_templates[place] else "")
    return "\n".join(part for part in (*lines, last) if part)


def process_images(p: Any) -> Processed:
    """Run a job in the hosts' order: before_process, the checkpoint, styles and prompts, process."""
    runner = p.scripts
    if runner is not None:
        runner.each("before_process", p)
    stored = {name: getattr(shared.opts, name) for name in p.override_settings.keys()}  # noqa: SIM118
    try:
        for name, value in p.override_settings.items():
            shared.opts.set(name, value)
        sd_models.load_model()
        return _process_images(p)
    finally:
        for name, value in stored.items():
            shared.opts.set(name, value)


def _process_images(p: Any) -> Processed:
    runner = p.scripts
    seed, subseed = get_fixed_seed(p.seed), get_fixed_seed(p.subseed)
    if shared.cmd_opts.style == "sdnext":
        count = p.batch_size * p.n_iter
        p.all_prompts = p.prompt if isinstance(p.prompt, list) else count * [p.prompt]
        negative = p.negative_prompt
        p.all_negative_prompts = negative if isinstance(negative, list) else count * [negative]
    else:
        p.setup_prompts()
    p.all_seeds = [seed + place for place in range(len(p.all_prompts))]
    p.all_subseeds = [subseed + place for place in range(len(p.all_prompts))]
    if shared.cmd_opts.style == "sdnext":  # resolves what it knows before any script has a turn with it
        p.all_prompts, p.all_negative_prompts = shared.prompt_styles.apply_styles_to_prompts(
            p.all_prompts, p.all_negative_prompts, p.styles, p.all_seeds, p=p
        )
    if runner is not None:
        runner.each("process", p)
    if shared.cmd_opts.style == "sdnext":
        state.begin("Process")  # what was pressed before is forgotten
    p.init(p.all_prompts, p.all_seeds, p.all_subseeds)

    images: list[Any] = []
    infotexts: list[str] = []
    for iteration in range(p.n_iter):
        p.iteration = iteration
        state.skipped = False
        if state.interrupted or state.stopping_generation:
            break
        batch = slice(p.iteration * p.batch_size, (p.iteration + 1) * p.batch_size)
        p.prompts, p.negative_prompts = p.all_prompts[batch], p.all_negative_prompts[batch]
        p.seeds, p.subseeds = p.all_seeds[batch], p.all_subseeds[batch]
        turn = {
            "batch_number": p.iteration,
            "prompts": p.prompts,
            "seeds": p.seeds,
            "subseeds": p.subseeds,
        }
        if runner is not None:
            runner.each("before_process_batch", p, **turn)
            runner.each("process_batch", p, **turn)
        for place, seed in enumerate(p.seeds):
            text = create_infotext(p, p.prompts, p.seeds, place, p.negative_prompts)
            image = Image.new("RGB", (p.width, p.height), (seed % 256, 90, 120))
            image.info["parameters"] = text
            images.append(image)
            infotexts.append(text)
        state.job_no += 1

    # A job that was interrupted before its first image has no image, but its text.
    infotexts = infotexts or [create_infotext(p, p.all_prompts, p.all_seeds, 0, p.all_negative_prompts)]
    done = Processed(p, images, seed=p.all_seeds[0], info=infotexts[0], infotexts=infotexts)
    if runner is not None:
        runner.each("postprocess", p, done)
    return done
