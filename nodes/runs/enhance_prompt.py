"""Run of Enhance Prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comfy_api.latest import io

from ...config.choice import Choice
from ...config.settings.home import targets_folder
from ...prompting import targets
from ...prompting.briefs.references import read_jobs
from ...prompting.enhance import Enhanced, Idea, enhance, open_or_substitute
from ...prompting.tasks import MOST_REFERENCES, Brief
from .. import inputs
from ..host.clip_target import checkpoint_behind, target_of_clip, token_counter
from ..host.images import encode_frame, encode_pictures, frames_in
from ..host.port import PromptOver
from .running import Run, answer, frozen_lists, no_call_info, record_of, report_json

# Plain would add nothing, which is not what people expect when they first press Run.
WITHOUT_CLIP = "general"


async def write(
    node: Any,
    *,
    prompt: Any,
    instruction: Any,
    target: Any,
    variations: Any,
    seed: Any,
    choice: Choice,
    on_error: Any,
    frozen: str | None,
    clip: Any,
    image: Any,
    duration: Any = None,
    aspect: Any = None,
    language: Any = None,
    reference_roles: Any = None,
    references: Sequence[Any] = (),
) -> io.NodeOutput:
    """Return the node's outputs.

    Inputs that the node takes as lists come as lists; `frozen` is None unless it is to be the answer.
    """
    run = Run(node)
    first_seed = inputs.one(seed, 0)
    if frozen is not None:
        return _frozen(run, frozen, first_seed)
    encoder_target = target_of_clip(clip, checkpoint_behind(run.prompt, run.node_id))
    count_tokens = token_counter(clip, encoder_target.limit_tokens) if encoder_target else None
    shown = [encode_frame(frame) for frame in frames_in(references)][:MOST_REFERENCES]
    jobs = read_jobs(inputs.one(reference_roles, "") or "", len(shown))
    ideas = []
    for place, text in enumerate(inputs.every(prompt)):
        named = inputs.at(target, place, inputs.AUTO)
        wanted = _target(named, encoder_target)
        idea = Idea(
            prompt=text or "",
            target=wanted,
            instruction=inputs.at(instruction, place, ""),
            variations=inputs.at(variations, place, 1),
            seed=inputs.at(seed, place, 0),
            from_nothing=wanted.form != "any"
            and wanted.kind != "edit"
            and (named != inputs.AUTO or encoder_target is not None),
            brief=Brief(
                duration=float(inputs.at(duration, place, 0.0) or 0.0),
                aspect=_chosen(inputs.at(aspect, place, inputs.AUTO)),
                language=_chosen(inputs.at(language, place, inputs.AUTO)),
                references=jobs,
            ),
            count_tokens=count_tokens if wanted == encoder_target else None,
        )
        ideas.append(idea)
    pictures = encode_pictures(inputs.every(image), len(ideas))
    opened = open_or_substitute(lambda: run.open_model(choice), ideas, on_error)
    if isinstance(opened, Enhanced):
        return _answer(run, opened, first_seed)
    try:
        enhanced = await run.perform(enhance(ideas, opened, on_error, pictures, shown), opened)
    except PromptOver:
        return io.NodeOutput([], [], "")
    return _answer(run, enhanced, first_seed)


def _answer(run: Run, enhanced: Enhanced, seed: int) -> io.NodeOutput:
    frozen = {"prompt": enhanced.prompts, "negative": enhanced.negatives}
    record = record_of(
        "enhance", enhanced.prompts, enhanced.info, seed, negative=enhanced.negatives, frozen=frozen
    )
    run.note(record, enhanced.is_substitute)
    return answer(record, enhanced.info, enhanced.prompts, enhanced.negatives, report_json(enhanced.info))


def _frozen(run: Run, text: str, seed: int) -> io.NodeOutput:
    lists = frozen_lists(text, "prompt", "negative")
    prompts = lists["prompt"]
    negatives = (lists["negative"] + [""] * len(prompts))[: len(prompts)]
    info = no_call_info("frozen")
    frozen = {"prompt": prompts, "negative": negatives}
    record = record_of("enhance", prompts, info, seed, negative=negatives, frozen=frozen)
    run.note(record)
    return answer(record, info, prompts, negatives, report_json(info))


def _chosen(value: str) -> str:
    return "" if value == inputs.AUTO else value


def _target(name: str, encoder_target: targets.Target | None) -> targets.Target:
    if name == inputs.AUTO:
        return encoder_target or targets.load(WITHOUT_CLIP, targets_folder())
    return targets.load(name, targets_folder())
