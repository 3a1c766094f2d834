"""The page: txt2img, img2img, the extensions' tabs, Settings. Ids are those of the hosts."""

from __future__ import annotations

import html
from collections.abc import Callable
from contextlib import closing
from typing import Any

import gradio as gr

from modules import (
    infotext_utils,
    processing,
    script_callbacks,
    scripts,
    shared,
    ui_loadsave,
    ui_sdnext,
    ui_settings,
)
from modules.call_queue import wrap_gradio_gpu_call
from modules.script_runner import ScriptRunner

TASKS = {
    "txt2img": processing.StableDiffusionProcessingTxt2Img,
    "img2img": processing.StableDiffusionProcessingImg2Img,
}
FIELDS = (
    "prompt",
    "negative_prompt",
    "n_iter",
    "batch_size",
    "seed",
    "enable_hr",
    "hr_prompt",
    "hr_negative_prompt",
)


def create_ui() -> gr.Blocks:
    script_callbacks.call("ui_settings")
    tabs = [(_generation("txt2img"), "txt2img", "txt2img"), (_generation("img2img"), "img2img", "img2img")]
    if shared.cmd_opts.style == "sdnext":
        runner = _began("control")
        tabs.append((ui_sdnext.control(_teller(runner), runner), "Control", "control"))
        tabs.append((ui_sdnext.video(_teller(runner)), "Video", "video"))
    for more in script_callbacks.call("ui_tabs"):
        tabs += more or []
    tabs.append((ui_settings.create_page(), "Settings", "settings"))
    fields = ui_loadsave.take_defaults(tabs)
    with gr.Blocks(analytics_enabled=False, title="Stand-in") as demo:
        with gr.Tabs(elem_id="tabs"):
            for page, title, elem_id in tabs:
                with gr.TabItem(title, id=elem_id, elem_id=f"tab_{elem_id}"):
                    page.render()
        ui_loadsave.keep_defaults(fields)
        reload = gr.Button("Reload UI", elem_id="settings_restart_gradio")
        reload.click(shared.state.request_restart, inputs=[], outputs=[])
    return demo


def _began(tab: str) -> ScriptRunner:
    """The scripts of a tab that is about to be made."""
    runner: ScriptRunner = getattr(scripts, f"scripts_{tab}")
    scripts.scripts_current = runner
    runner.initialize_scripts(is_img2img=tab == "img2img")
    return runner


def _teller(runner: ScriptRunner) -> Callable[[Any], Any]:
    """Make a function that reports a component of the page to a tab's scripts and returns it."""

    def watched(component: Any) -> Any:
        runner.notify(component, "before")
        runner.notify(component, "after")
        return component

    return watched


def _generation(tab: str) -> gr.Blocks:
    runner = _began(tab)
    watched = _teller(runner)
    with gr.Blocks(analytics_enabled=False) as page:
        with gr.Row(elem_id=f"{tab}_toprow"):
            with gr.Column(scale=6):
                prompt = watched(gr.Textbox(label="Prompt", lines=3, elem_id=f"{tab}_prompt", value=""))
                negative = watched(
                    gr.Textbox(label="Negative prompt", lines=3, elem_id=f"{tab}_neg_prompt", value="")
                )
            with gr.Column(scale=1):
                interrupt = watched(gr.Button("Interrupt", elem_id=f"{tab}_interrupt"))
                skip = watched(gr.Button("Skip", elem_id=f"{tab}_skip"))
                submit = watched(gr.Button("Generate", elem_id=f"{tab}_generate", variant="primary"))
                with gr.Row(elem_id=f"{tab}_tools"):
                    pasted = watched(gr.Button("Read", elem_id="paste"))
        with gr.Row():
            with gr.Column(elem_id=f"{tab}_settings"):
                n_iter = watched(_number("Batch count", f"{tab}_batch_count", 1))
                batch_size = watched(_number("Batch size", f"{tab}_batch_size", 1))
                seed = watched(gr.Number(label="Seed", value=-1, elem_id=f"{tab}_seed", precision=0))
                hr = watched(gr.Checkbox(label="Hires. fix", elem_id=f"{tab}_hr-checkbox"))
                hr_prompt = watched(gr.Textbox(label="Hires prompt", elem_id="hires_prompt", value=""))
                hr_negative = watched(
                    gr.Textbox(label="Hires negative prompt", elem_id="hires_neg_prompt", value="")
                )
                with gr.Column(elem_id=f"{tab}_script_container"):
                    inputs = runner.setup_ui()
            with gr.Column(elem_id=f"{tab}_results"):
                gallery = watched(gr.Gallery(label="Output", elem_id=f"{tab}_gallery"))
                generation_info = gr.Textbox(visible=False, elem_id=f"generation_info_{tab}")
                html_info = gr.HTML(elem_id=f"html_info_{tab}", elem_classes="infotext")
                html_log = gr.HTML(elem_id=f"html_log_{tab}")

        def generate(*values: Any) -> list[Any]:
            return _generate(tab, runner, *values)

        submit.click(
            wrap_gradio_gpu_call(generate, extra_outputs=[None, "", ""]),
            inputs=[prompt, negative, n_iter, batch_size, seed, hr, hr_prompt, hr_negative, *inputs],
            outputs=[gallery, generation_info, html_info, html_log],
        )
        interrupt.click(shared.state.interrupt, inputs=[], outputs=[])
        skip.click(shared.state.skip, inputs=[], outputs=[])
        fields = [(prompt, "Prompt"), (negative, "Negative prompt"), (seed, "Seed"), *runner.infotext_fields]
        fields += [(hr_prompt, "Hires prompt"), (hr_negative, "Hires negative prompt")]
        pasted.click(
            lambda text: infotext_utils.paste(text, fields),
            inputs=[prompt],
            outputs=[component for component, _ in fields],
        )
    return page


def _number(label: str, elem_id: str, value: int) -> gr.Slider:
    return gr.Slider(minimum=1, maximum=8, step=1, label=label, value=value, elem_id=elem_id)


def _generate(tab: str, runner: ScriptRunner, *values: Any) -> list[Any]:
    fields = dict(zip(FIELDS, values, strict=False))
    fields |= {name: int(fields[name]) for name in ("n_iter", "batch_size", "seed")}
    if tab == "img2img":
        fields = {name: value for name, value in fields.items() if not name.startswith(("enable_hr", "hr_"))}
    with closing(TASKS[tab](**fields)) as p:
        p.scripts, p.script_args = runner, values[len(FIELDS) :]
        done = runner.run(p, *p.script_args) or processing.process_images(p)
    return [
        done.images,
        done.js(),
        _paragraphs(done.info),
        f"<p class='comments'>{_paragraphs(done.comments)}</p>",
    ]


def _paragraphs(text: str) -> str:
    return "<p>" + "<br>\n".join(html.escape(line) for line in text.split("\n")) + "</p>"
