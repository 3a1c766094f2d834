"""An extension that looks at its host: what a script sees, and when each of its turns comes."""

import abc
import builtins
import sys
import time
from pathlib import Path

import gradio as gr
import modules.scripts as scripts
from modules import processing, script_callbacks, shared

ROOT = scripts.basedir()
# How often this file has been executed in this process.
builtins.probe_executions = getattr(builtins, "probe_executions", 0) + 1


class Probe(scripts.Script):
    def title(self):
        return "Quillwork"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with gr.Accordion("Probe", open=False):
            enabled = gr.Checkbox(label="Enabled", value=False, elem_id=self.elem_id("enabled"))
            word = gr.Textbox(label="Word", value="word", elem_id=self.elem_id("word"))
        self.infotext_fields = [(word, "Probe")]
        return [enabled, word]

    def before_process(self, p, enabled, word):
        if not enabled:
            return
        print("probe: before_process", flush=True)
        if p.prompt == "please fail":
            raise RuntimeError("as asked")
        if p.prompt == "wait for the interrupt":
            print("probe: waiting", flush=True)
            end = time.monotonic() + 30
            while not shared.state.interrupted and time.monotonic() < end:
                time.sleep(0.01)
            print("probe: interrupted" if shared.state.interrupted else "probe: gave up", flush=True)
        p.extra_generation_params["Probe"] = f"{p.prompt}: {word}"
        if hasattr(p, "comment"):
            p.comment("probe was here")

    def process(self, p, enabled, word):
        if enabled and p.prompt != "please fail":
            print("probe: process", flush=True)
            p.all_prompts = [f"{text} [process {place}]" for place, text in enumerate(p.all_prompts)]


class WithMetaclass(scripts.Script, abc.ABC):
    def title(self):
        return "Probe with a metaclass"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.Checkbox(label="Nothing", visible=False, elem_id=self.elem_id("nothing"))]


def tab():
    with gr.Blocks(analytics_enabled=False) as page:
        given = gr.Textbox(label="In", elem_id="probe_in")
        button = gr.Button("Turn", elem_id="probe_button")
        shown = gr.Textbox(label="Out", elem_id="probe_out")
        button.click(lambda text: text[::-1], inputs=[given], outputs=[shown])
    return [(page, "Probe tab", "probe_tab")]


def settings():
    section = ("probe", "Probe")
    shared.opts.add_option("probe_word", shared.OptionInfo("word", "Word", gr.Textbox, {}, section=section))


def routes(demo, app):
    @app.get("/probe")
    def report():
        return {
            "name": __name__,
            "in_modules": __name__ in sys.modules,
            "basedir_at_import": ROOT,
            "basedir_later": scripts.basedir(),
            "root_in_path_later": any(Path(entry) == Path(ROOT) for entry in sys.path),
            "has_comment": hasattr(processing.StableDiffusionProcessing, "comment"),
            "demo": demo is not None,
            "executions": builtins.probe_executions,
        }


script_callbacks.on_ui_tabs(tab)
script_callbacks.on_ui_settings(settings)
script_callbacks.on_app_started(routes)
