"""Starts the stand-in: `python main.py --base-directory DIR --port PORT`. It needs only aiohttp."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import browser_routes
import comfy.utils
import execution
import file_routes
import folder_paths
import job_routes
import prompt_routes
from aiohttp import web
from comfy.cli_args import args
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from server import PromptServer

import nodes


def hook_progress_bar(server: PromptServer) -> None:
    def hook(value: float, total: float, preview: Any, prompt_id: Any = None, node_id: Any = None) -> None:
        running = get_executing_context()
        if running is not None:
            prompt_id, node_id = prompt_id or running.prompt_id, node_id or running.node_id
        throw_exception_if_processing_interrupted()
        prompt_id, node_id = prompt_id or server.last_prompt_id, node_id or server.last_node_id
        get_progress_state().update(str(node_id), value, total)
        data = {"value": value, "max": total, "prompt_id": prompt_id, "node": node_id}
        server.send_sync("progress", data, server.client_id)

    comfy.utils.set_progress_bar_global_hook(hook)


async def serve() -> None:
    server = PromptServer(asyncio.get_running_loop())
    await nodes.load_all(Path(folder_paths.base_path, "custom_nodes"))
    for group in (prompt_routes, job_routes, file_routes, browser_routes):
        group.add(server)
    server.add_routes()
    file_routes.add_static(server)
    hook_progress_bar(server)
    threading.Thread(
        target=execution.prompt_worker, args=(server,), daemon=True, name="prompt worker"
    ).start()
    runner = web.AppRunner(server.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, args.listen, args.port).start()
    logging.info("To see the GUI go to: http://%s:%s", args.listen, args.port)
    await server.publish_loop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(message)s")
    asyncio.run(serve())
