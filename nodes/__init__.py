"""Quillwork's nodes in ComfyUI."""

from __future__ import annotations

from pathlib import Path

from comfy_api.latest import ComfyExtension, io

from ..config.host_profile import HostProfile, enter, leave_note
from ..config.settings import host_notes
from ..config.tag_files import tag_files
from ..llm_backends.host import MemoryManager
from ..prompting.tags.files import use_files
from .caption_folder import CaptionFolder
from .chat import Chat
from .describe_image import DescribeImage
from .enhance_prompt import EnhancePrompt
from .generate_variables import GenerateVariables
from .host.folders import model_folders
from .last_answers import write_remembered
from .llm_settings import LLMSettings
from .resolve_variables import ResolveVariables
from .routes import open_routes
from .split_prompt import SplitPrompt
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
            CaptionFolder,
            Chat,
            LLMSettings,
            UnloadLLM,
            SplitPrompt,
        ]


async def comfy_entrypoint() -> ComfyExtension:
    """Return the extension; ComfyUI calls this."""
    _settle_in()
    return Quillwork()


def _settle_in() -> None:
    """Hand in ComfyUI's folders and memory manager, and leave a note of them for the command line.

    The home is ComfyUI's folder for a user's files that no browser may read.
    """
    import folder_paths

    folder = getattr(folder_paths, "get_system_user_directory", None)
    models = getattr(folder_paths, "models_dir", None)
    profile = HostProfile(
        host_notes.COMFYUI,
        has_nodes=True,
        version=_version(),
        home=Path(folder("quillwork")) if folder is not None else None,
        models=Path(models) if models else None,
        model_folders=model_folders if models else None,
        find_memory=_find_memory,
    )
    enter(profile)
    use_files(tag_files)
    leave_note(profile)


def _version() -> str:
    """Return ComfyUI's version, empty where its version module is not the one expected."""
    try:
        from comfyui_version import __version__
    except ImportError:
        return ""
    return str(__version__)


def _find_memory() -> MemoryManager | None:
    from .host.port import find_memory

    return find_memory()
