"""/sdapi/v1, as far as an extension's users call it."""

from __future__ import annotations

import base64
import io
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import gradio as gr
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from PIL import Image, PngImagePlugin

from modules import errors, processing, scripts, shared
from modules.call_queue import queue_lock
from modules.infotext_utils import parse_generation_parameters
from modules.script_runner import ScriptRunner

TASKS = {
    "txt2img": processing.StableDiffusionProcessingTxt2Img,
    "img2img": processing.StableDiffusionProcessingImg2Img,
}
NOT_FIELDS = ("alwayson_scripts", "script_name", "script_args", "send_images", "save_images", "infotext")


class Api:
    """The routes; with --api-auth each asks for a name and a password."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        pairs = (pair.split(":", 1) for pair in (shared.cmd_opts.api_auth or "").split(",") if pair)
        self.passwords = dict(pairs)
        self.defaults = {tab: self._defaults(tab) for tab in TASKS}
        for tab in TASKS:
            self._route(f"/sdapi/v1/{tab}", self._generation(tab), "POST")
        self._route("/sdapi/v1/interrupt", self.interrupt, "POST")
        self._route("/sdapi/v1/skip", self.skip, "POST")
        self._route("/sdapi/v1/options", self.get_options, "GET")
        self._route("/sdapi/v1/options", self.set_options, "POST")
        self._route("/sdapi/v1/progress", self.progress, "GET")
        self._route("/sdapi/v1/scripts", self.get_scripts, "GET")
        self._route("/sdapi/v1/script-info", self.get_script_info, "GET")

    def _route(self, path: str, endpoint: Any, method: str) -> None:
        guards = [Depends(self._auth)] if self.passwords else []
        self.app.add_api_route(path, endpoint, methods=[method], dependencies=guards)

    def _auth(self, credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> None:  # noqa: B008
        known = self.passwords.get(credentials.username, "")
        if not known or not secrets.compare_digest(credentials.password, known):
            raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})

    def _runner(self, tab: str) -> ScriptRunner:
        return getattr(scripts, f"scripts_{tab}")

    def _defaults(self, tab: str) -> list[Any]:
        """The scripts' default arguments: `ui` is called for them once more, twice as the hosts do it."""
        runner = self._runner(tab)
        if shared.cmd_opts.nowebui:
            runner.initialize_scripts(is_img2img=tab == "img2img")
            with gr.Blocks():
                runner.setup_ui()
        values: list[Any] = [None] * len(runner.inputs)
        values[0] = 0
        with gr.Blocks():
            for script in runner.scripts:
                if script.ui(script.is_img2img):
                    controls = script.ui(script.is_img2img)
                    values[script.args_from : script.args_to] = [control.value for control in controls]
        return values

    def _script(self, tab: str, name: str) -> Any:
        found = [script for script in self._runner(tab).scripts if (script.name or "") == name.lower()]
        if not found:
            raise HTTPException(422, f"Script '{name}' not found")
        return found[0]

    def _generation(self, tab: str) -> Any:
        def generate(request: dict[str, Any]) -> Any:
            try:
                return self._generate(tab, request)
            except HTTPException:
                raise
            except Exception as error:
                # As the hosts' middleware does it, which reads these off any error.
                fault = {"error": type(error).__name__, "detail": vars(error).get("detail", "")}
                errors.report(f"API error: {fault}", exc_info=True)
                fault |= {"body": vars(error).get("body", ""), "errors": str(error)}
                return JSONResponse(fault, vars(error).get("status_code", 500))

        return generate

    def _generate(self, tab: str, request: dict[str, Any]) -> dict[str, Any]:
        runner, values = self._runner(tab), list(self.defaults[tab])
        fields = {name: value for name, value in request.items() if name not in NOT_FIELDS}
        if request.get("infotext"):
            self._read_infotext(runner, request["infotext"], fields, values)
        selected = self._script(tab, request["script_name"]) if request.get("script_name") else None
        if selected is not None:
            values[selected.args_from : selected.args_to] = request.get("script_args", [])
            values[0] = runner.selectable_scripts.index(selected) + 1
        for name, given in (request.get("alwayson_scripts") or {}).items():
            script = self._script(tab, name)
            if not script.alwayson:
                raise HTTPException(422, "Cannot have a selectable script in the always on scripts params")
            # What is missing keeps its default; what is too much is dropped.
            arguments = given.get("args", [])[: script.args_to - script.args_from]
            values[script.args_from : script.args_from + len(arguments)] = arguments
        with queue_lock, closing(TASKS[tab](**fields)) as p:
            p.is_api, p.scripts, p.script_args = True, runner, tuple(values)
            with _job(f"scripts_{tab}"):
                done = runner.run(p, *values) if selected is not None else processing.process_images(p)
        images = [_encoded(image) for image in done.images]
        return {"images": images, "parameters": request, "info": done.js()}

    def _read_infotext(
        self, runner: ScriptRunner, text: str, fields: dict[str, Any], values: list[Any]
    ) -> None:
        """Take values that a request leaves out from an infotext, the scripts' arguments too."""
        parameters = parse_generation_parameters(text)
        fields.setdefault("prompt", parameters["Prompt"])
        fields.setdefault("negative_prompt", parameters["Negative prompt"])
        if "Seed" in parameters:
            fields.setdefault("seed", int(parameters["Seed"]))
        for component, label in runner.infotext_fields:
            if component not in runner.inputs:
                continue
            value = label(parameters) if callable(label) else parameters.get(label)
            if value is not None and not isinstance(value, dict):
                kind = type(component.value)
                values[runner.inputs.index(component)] = value == "True" if kind is bool else kind(value)

    def interrupt(self) -> dict[str, Any]:
        shared.state.interrupt()
        return {}

    def skip(self) -> None:
        shared.state.skip()

    def get_options(self) -> dict[str, Any]:
        return {name: getattr(shared.opts, name) for name in shared.opts.data_labels}

    def set_options(self, wanted: dict[str, Any]) -> None:
        for name, value in wanted.items():
            shared.opts.set(name, value, is_api=True)
        shared.opts.save()

    def progress(self) -> dict[str, Any]:
        state = shared.state
        return {"state": {"job": state.job, "interrupted": state.interrupted}, "textinfo": state.textinfo}

    def get_scripts(self) -> dict[str, list[str | None]]:
        return {tab: [script.name for script in self._runner(tab).scripts] for tab in TASKS}

    def get_script_info(self) -> list[dict[str, Any]]:
        return [
            {
                "name": script.name,
                "is_alwayson": script.alwayson,
                "is_img2img": tab == "img2img",
                "args": [
                    {
                        "label": control.label,
                        "value": control.value,
                        "choices": [
                            choice[0] if isinstance(choice, tuple) else choice
                            for choice in getattr(control, "choices", None) or []
                        ],
                    }
                    for control in script.controls or []
                ],
            }
            for tab in TASKS
            for script in self._runner(tab).scripts
        ]


@contextmanager
def _job(name: str) -> Iterator[None]:
    """A job that a program has begun. SD.Next does not end one that raises."""
    if shared.cmd_opts.style == "sdnext":
        task_id = shared.state.begin(name, api=True)
        yield
        shared.state.end(task_id, api=False)
        return
    try:
        shared.state.begin(job=name)
        yield
    finally:
        shared.state.end()


def _encoded(image: Image.Image) -> str:
    metadata = PngImagePlugin.PngInfo()
    metadata.add_text("parameters", image.info["parameters"])
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=metadata)
    return base64.b64encode(file.getvalue()).decode()
