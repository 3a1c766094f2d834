"""The tabs that only SD.Next has, and its page, in which they are found elsewhere than Gradio put them."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from modules import infotext_utils, processing, shared
from modules.call_queue import queue_lock
from modules.script_runner import ScriptRunner


def prompts(watched: Any, tab: str) -> tuple[Any, Any, Any]:
    """The top of a tab: its two boxes and Generate."""
    prompt = watched(gr.Textbox(label="Prompt", lines=3, elem_id=f"{tab}_prompt", value=""))
    negative = watched(gr.Textbox(label="Negative prompt", lines=3, elem_id=f"{tab}_neg_prompt", value=""))
    generate = watched(gr.Button("Generate", elem_id=f"{tab}_generate", variant="primary"))
    interrupt = watched(gr.Button("Stop", elem_id=f"{tab}_interrupt"))
    interrupt.click(shared.state.interrupt, inputs=[], outputs=[])
    watched(gr.File(label="", elem_id=f"{tab}_prompt_image", visible=False))
    return prompt, negative, generate


def control(watched: Any, runner: ScriptRunner) -> gr.Blocks:
    """The tab for all images."""
    with gr.Blocks(analytics_enabled=False) as page:
        prompt, negative, generate = prompts(watched, "control")
        pasted = watched(gr.Button("Restore", elem_id="control_paste"))
        batch_size = watched(gr.Slider(1, 8, 1, step=1, label="Batch size", elem_id="control_batch_size"))
        n_iter = watched(gr.Slider(1, 8, 1, step=1, label="Batch count", elem_id="control_batch_count"))
        seed = watched(gr.Number(label="Initial seed", value=-1, elem_id="control_seed"))
        gallery = watched(gr.Gallery(label="Output", elem_id="control_gallery"))
        result = gr.HTML(elem_id="control-result")
        log = gr.HTML(elem_id="html_log_control")
        video = gr.Textbox(visible=False, elem_id="control_output_video")
        with gr.Row(elem_id="control_script_container"):
            inputs = runner.setup_ui()
        generate.click(
            lambda *values: _generate(runner, *values),
            inputs=[prompt, negative, n_iter, batch_size, seed, *inputs],
            outputs=[gallery, video, result, log],
        )
        fields = [(prompt, "Prompt"), (negative, "Negative prompt"), (prompt, "Template"), (seed, "Seed")]
        fields += runner.infotext_fields
        pasted.click(
            lambda text: infotext_utils.paste(text, fields),
            inputs=[prompt],
            outputs=[component for component, _ in fields],
        )
    return page


def video(watched: Any) -> gr.Blocks:
    """The tab for videos: no script has a turn there."""
    with gr.Blocks(analytics_enabled=False) as page:
        prompt, _, generate = prompts(watched, "video")
        watched(gr.Dropdown(label="Video engine", choices=["None", "WAN Video"], elem_id="video_engine"))
        watched(
            gr.Dropdown(
                label="Video model",
                choices=["None", "WAN 2.2 A14B T2V"],
                value="None",
                elem_id="video_model",
            )
        )
        watched(gr.Number(label="Initial seed", value=-1, elem_id="video_seed"))
        # An id that another tab has, too.
        shown = gr.Textbox(label="Output", elem_id="control_output_video")
        generate.click(lambda text: f"a video of {text}", inputs=[prompt], outputs=[shown])
    return page


def _generate(runner: ScriptRunner, *values: Any) -> list[Any]:
    """A generation as the tab runs it: errors are logged, and swallowed."""
    prompt, negative, n_iter, batch_size, seed, *args = values
    with queue_lock:
        shared.state.begin("Control")
        try:
            return _run(runner, prompt, negative, int(n_iter), int(batch_size), int(seed), args)
        except Exception as error:
            return [None, None, None, f"Control: Exception: {error}"]
        finally:
            shared.state.end()


def _run(
    runner: ScriptRunner, prompt: str, negative: str, n_iter: int, batch_size: int, seed: int, args: list[Any]
) -> list[Any]:
    p = processing.StableDiffusionProcessingControl(
        prompt=prompt, negative_prompt=negative, n_iter=n_iter, batch_size=batch_size, seed=seed
    )
    p.scripts, p.script_args = runner, tuple(args)
    images, text = [], ""
    try:
        done = processing.process_images(p)
        images, text = done.images, done.infotexts[0] if done.images else ""
    except Exception as error:
        print(f"Control: {error}", flush=True)
    p.close()
    ready = "Ready" if images else "Ready | Images None"
    shown = "<br>\n".join(html.escape(line) for line in text.split("\n"))
    # The time keeps two results apart.
    return [images or None, None, f"<p>{ready}</p><p>{shown}</p>", f"<p>Time: {id(p)}</p>"]
