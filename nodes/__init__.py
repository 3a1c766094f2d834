"""Quillwork's nodes in ComfyUI."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from comfy_api.latest import ComfyExtension, io

from ..config.models import local_models
from ..config.settings import host_notes
from ..config.settings.home import home, models_folder, use_host_home, use_models_folder
from ..config.settings.host_notes import HostNote
from ..llm_backends.command_line import pack_folder, use_arguments
from ..llm_backends.host import GuestMemory, use_memory, use_program
from .chat import Chat
from .describe_image import DescribeImage
from .enhance_prompt import EnhancePrompt
from .generate_variables import GenerateVariables
from .host.folders import model_folders
from .last_answers import write_remembered
from .llm_settings import LLMSettings
from .resolve_variables import ResolveVariables
from .routes import open_routes
from .unload_llm import UnloadLLM

__all__ = ["comfy_entrypoint"]


class Quillwork(ComfyExtension):
    async def on_load(self) -> None:
        from server import PromptServer

        PromptServer.instance.add_on_prompt_handler(write_remembered)
        open_routes(PromptServer.instance)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            EnhancePrompt,
            GenerateVariables,
            ResolveVariables,
            DescribeImage,
            Chat,
            LLMSettings,
            UnloadLLM,
        ]


async def comfy_entrypoint() -> ComfyExtension:
    """Return the extension; ComfyUI calls this."""
    _settle_in()
    return Quillwork()


def _settle_in() -> None:
    """Hand ComfyUI's folders and memory manager to the parts that need them.

    The settings get the folder for a user's files that no browser may read and the folders of models, the
    local models the memory manager.
    """
    import folder_paths

    use_memory(_find_memory)
    use_program(host_notes.COMFYUI)
    folder = getattr(folder_paths, "get_system_user_directory", None)
    if folder is not None:
        use_host_home(Path(folder("quillwork")), host_notes.COMFYUI)
    models = getattr(folder_paths, "models_dir", None)
    if models:
        use_models_folder(Path(models))
        local_models.use_folders(model_folders)
    use_arguments(host_notes.arguments)
    host_notes.leave(
        HostNote(
            host_notes.COMFYUI,
            pack=str(pack_folder()),
            home=os.path.abspath(home()),
            models=str(models_folder()),
            model_folders=[str(one) for one in model_folders()] if models else [],
            python=sys.executable or "",
            version=_version(),
        )
    )


def _version() -> str:
    """Return ComfyUI's version, empty where its version module is not the one expected."""
    try:
        from comfyui_version import __version__
    except ImportError:
        return ""
    return str(__version__)


def _find_memory() -> GuestMemory | None:
    from .host.port import find_memory

    return find_memory()
