"""Accordion in txt2img and img2img. Only components that Gradio 3 and 4 both have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...config.models.catalog import catalog
from ...config.settings.values import load
from ...llm_backends.errors import LLMError
from ...llm_backends.runner import runner
from ...prompting.tasks import MOST_VARIATIONS, ON_ERROR, SELECTIONS
from . import enhance_now
from .arguments import PARTS, TITLE, Arguments, mode_options
from .host import saved_fields
from .host.settings import target_choices

_SAVED_MODELS = 2000


def build(tab: str, elem_id: Callable[[str], str]) -> dict[str, Any]:
    """Build the controls of a tab; return them by the names of `Arguments`, in its order.

    `elem_id` makes an element's id from a name.
    """
    import gradio as gr

    usual = Arguments()
    with gr.Accordion(TITLE, open=False, elem_id=elem_id("accordion")):
        with gr.Row():
            enabled = gr.Checkbox(
                label="Enhance when generating", value=usual.enabled, elem_id=elem_id("enabled")
            )
            variables = gr.Checkbox(
                label="Resolve __variables__ and {a|b}", value=usual.variables, elem_id=elem_id("variables")
            )
            generate_missing = gr.Checkbox(
                label="Generate values for missing variables",
                value=usual.generate_missing,
                elem_id=elem_id("generate_missing"),
            )
            variables_alone = gr.Checkbox(
                label="Resolve variables even without enhancing",
                value=usual.variables_alone,
                elem_id=elem_id("variables_alone"),
            )
        writer = build_writer(elem_id)
        with gr.Row():
            selection = gr.Dropdown(
                label="Selection of values",
                choices=list(SELECTIONS),
                value=usual.selection,
                elem_id=elem_id("selection"),
            )
            count = gr.Number(
                label="Number of images (0: batch count × size; combinations: at most all)",
                value=usual.count,
                precision=0,
                elem_id=elem_id("count"),
            )
            no_repeats = gr.Checkbox(
                label="No value of a variable twice in one prompt",
                value=usual.no_repeats,
                elem_id=elem_id("no_repeats"),
            )
        with gr.Row():
            parts = gr.CheckboxGroup(
                label="What to enhance",
                choices=list(PARTS),
                value=list(usual.parts),
                elem_id=elem_id("parts"),
            )
            on_error = gr.Dropdown(
                label="If the model fails",
                choices=list(ON_ERROR),
                value=usual.on_error,
                elem_id=elem_id("on_error"),
            )
        with gr.Row():
            per_image = gr.Checkbox(
                label="A separate prompt for each image",
                value=usual.per_image,
                elem_id=elem_id("per_image"),
            )
            variations = gr.Slider(
                label="Variations",
                minimum=1,
                maximum=MOST_VARIATIONS,
                step=1,
                value=usual.variations,
                elem_id=elem_id("variations"),
            )
            seed = gr.Number(
                label="Seed for the model (-1: the image's)",
                value=usual.seed,
                precision=0,
                elem_id=elem_id("seed"),
            )
        found = {
            "enabled": enabled,
            **writer,
            "variations": variations,
            "seed": seed,
            "on_error": on_error,
            "parts": parts,
            "per_image": per_image,
            "variables": variables,
            "generate_missing": generate_missing,
            "selection": selection,
            "count": count,
            "variables_alone": variables_alone,
            "no_repeats": no_repeats,
        }
        saved_fields.restore(tab, found)
        enhance_now.build(tab, found)
    return found


def build_writer(elem_id: Callable[[str], str]) -> dict[str, Any]:
    """Build the controls for mode, model, target and instruction; return them by the names of `Arguments`."""
    import gradio as gr

    usual = Arguments()
    with gr.Row():
        target = gr.Dropdown(
            label="For model", choices=target_choices(), value=usual.target, elem_id=elem_id("target")
        )
        model = gr.Dropdown(
            label="Model (empty: from settings)",
            choices=["", *models()],
            value=usual.model,
            allow_custom_value=True,
            elem_id=elem_id("model"),
        )
        refresh = gr.Button("🔄", elem_id=elem_id("refresh"), elem_classes=["tool"])
    mode = gr.Radio(label="Mode", choices=mode_options(), value=usual.mode, elem_id=elem_id("mode"))
    instruction = gr.Textbox(
        label="Instruction",
        value=usual.instruction,
        placeholder="Optional, e.g. at night, in watercolour",
        lines=1,
        elem_id=elem_id("instruction"),
    )
    refresh.click(fn=lambda: gr.update(choices=["", *models(ask=True)]), outputs=[model], show_progress=False)
    return {"mode": mode, "model": model, "target": target, "instruction": instruction}


def models(*, ask: bool = False) -> list[str]:
    """Return the ids to choose from: those known already, or with `ask` those that all providers list now."""
    try:
        settings = load()
        listing = runner.run(catalog.listing(settings, refresh=True)) if ask else catalog.at_hand(settings)
    except LLMError:
        return []
    return (
        []
        if listing is None
        else [model.id for model in listing.select() if not model.locked][:_SAVED_MODELS]
    )
