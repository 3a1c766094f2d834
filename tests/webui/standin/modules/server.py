"""The server of page and API, which waits until the page is reloaded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from fastapi import FastAPI

from modules import extensions, paths, script_callbacks, shared, ui
from modules.api import Api
from modules.cmd_args import cmd_opts

_template_response = gr.routes.templates.TemplateResponse


def _name() -> str:
    return cmd_opts.server_name or ("0.0.0.0" if cmd_opts.listen else "127.0.0.1")


def serve() -> str:
    """Serve one life of the page; "restart" when it is to be made anew in this process."""
    script_callbacks.call("before_ui")
    shared.demo = ui.create_ui()
    _add_javascript()
    if not cmd_opts.no_gradio_queue:
        shared.demo.queue(64)
        _be_patient(type(shared.demo._queue))
    pairs = [tuple(pair.split(":", 1)) for pair in (cmd_opts.gradio_auth or "").split(",") if pair]
    app, _, _ = shared.demo.launch(
        server_name=_name(),
        server_port=cmd_opts.port,
        auth=pairs or None,
        prevent_thread_lock=True,
        allowed_paths=[paths.data_path, paths.script_path],
        quiet=True,
    )
    # Gradio lets every origin in; the hosts take that out.
    app.user_middleware = [kind for kind in app.user_middleware if kind.cls.__name__ != "CORSMiddleware"]
    if cmd_opts.api:
        Api(app)
    script_callbacks.call("app_started", shared.demo, app)
    print("Startup time: stand-in.", flush=True)
    while shared.state.server_command is None:
        time.sleep(0.05)
    command, shared.state.server_command = shared.state.server_command, None
    script_callbacks.call("before_reload")
    shared.demo.close()
    time.sleep(0.5)
    return command


def _be_patient(queue: Any) -> None:
    """Keep Gradio 3 from dropping an event whose page is slow to answer, as on a busy machine."""
    for name in ("get_message", "send_message"):
        if method := getattr(queue, name, None):
            defaults = method.__defaults__ or ()
            method.__defaults__ = tuple(120 if isinstance(value, int) else value for value in defaults)


def serve_api_only() -> None:
    import uvicorn

    app = FastAPI()
    Api(app)
    script_callbacks.call("before_ui")
    script_callbacks.call("app_started", None, app)
    print("Startup time: stand-in.", flush=True)
    uvicorn.run(app, host=_name(), port=cmd_opts.port, log_level="warning")


def _add_javascript() -> None:
    """Put the hosts' functions and every extension's scripts and style into the page's head."""
    own = str(Path(paths.script_path, "script.js"))
    head = [f'<script src="{_address(own)}"></script>']
    if cmd_opts.style == "sdnext":
        head.append(
            f'<script src="{_address(str(Path(paths.script_path, "sdnext", "modern.js")))}"></script>'
        )
    for suffix, kind in ((".js", ""), (".mjs", ' type="module"')):
        for _, file in extensions.files("javascript", suffix):
            head.append(f'<script{kind} src="{_address(file)}"></script>')
    for extension in extensions.active():
        style = Path(extension.path, "style.css")
        if style.is_file():
            head.append(f'<link rel="stylesheet" href="{_address(str(style))}">')
    added = "\n".join([*head, "</head>"]).encode()

    def response(*args: Any, **kwargs: Any) -> Any:
        page = _template_response(*args, **kwargs)
        page.body = page.body.replace(b"</head>", added, 1)
        page.init_headers()
        return page

    gr.routes.templates.TemplateResponse = response


def _address(file: str) -> str:
    return f"file={quote(file)}?{Path(file).stat().st_mtime}"
