"""Registration of our routes on ComfyUI's server; the handlers are loaded by the first request."""

from __future__ import annotations

import asyncio
import importlib
import uuid
from typing import Any

PATH = "/quillwork/{path:.*}"


def open_routes(server: Any) -> None:
    """Serve everything below ``/quillwork`` on `server`, ComfyUI's ``PromptServer``."""
    adapter: Any = None
    loading = asyncio.Lock()

    async def answer(request: Any) -> Any:
        nonlocal adapter
        async with loading:
            if adapter is None:
                loop = asyncio.get_running_loop()
                name = f"{__package__}.host.http"
                module = await loop.run_in_executor(None, importlib.import_module, name)
                adapter = module.make_adapter(server)
        return await adapter(request)

    server.routes.route("*", PATH)(answer)
    server.add_on_prompt_handler(keep_keys)
    server.add_on_prompt_handler(prepare_models)


def keep_keys(json_data: dict[str, Any]) -> dict[str, Any]:
    """Keep for a queued job the session keys that it was queued with; a prompt handler of the host."""
    from ..config.access.session_keys import session_keys

    if session_keys.providers():
        prompt_id = json_data.get("prompt_id")
        if prompt_id is None:
            prompt_id = json_data["prompt_id"] = str(uuid.uuid4())
        if isinstance(prompt_id, str):
            session_keys.capture(prompt_id)
    return json_data


def prepare_models(json_data: dict[str, Any]) -> dict[str, Any]:
    """Begin to import what the models of a queued prompt need, while it waits for its turn; a prompt handler
    of the host."""
    from ..config.warm_up import warm_up_aside
    from .queued import choices_in

    warm_up_aside(choices_in(json_data.get("prompt")))
    return json_data
