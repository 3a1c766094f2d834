"""The folders of the host's files."""

from __future__ import annotations

import re
from pathlib import Path

from comfy.cli_args import args

base_path = str(Path(args.base_directory).absolute())
models_dir = f"{base_path}/models"
_EXTENSIONS = {".ckpt", ".pt", ".pth", ".bin", ".safetensors", ".sft", ".gguf"}
_MODELS = ("checkpoints", "loras", "vae", "text_encoders", "diffusion_models", "clip_vision", "embeddings")
folder_names_and_paths: dict[str, tuple[list[str], set[str]]] = {
    name: ([f"{models_dir}/{name}"], set(_EXTENSIONS)) for name in _MODELS
}
folder_names_and_paths["custom_nodes"] = ([f"{base_path}/custom_nodes"], set())


def get_user_directory() -> str:
    return args.user_directory or f"{base_path}/user"


def get_public_user_directory(user_id: str) -> str | None:
    """The folder that `/userdata` serves; None for a name that only the host itself may use."""
    return None if not user_id or user_id.startswith("__") else f"{get_user_directory()}/{user_id}"


def get_system_user_directory(name: str = "system") -> str:
    """A folder that no route serves. It may not exist yet.

    Raises:
        ValueError: for a name that is empty, starts with `_`, or is not of letters, digits and `_`.
    """
    if not re.fullmatch(r"[^\W_]\w*", name):
        raise ValueError(f"Invalid system user name: '{name}'")
    return f"{get_user_directory()}/__{name}"


def get_output_directory() -> str:
    return f"{base_path}/output"


def get_input_directory() -> str:
    return f"{base_path}/input"


def get_temp_directory() -> str:
    return f"{base_path}/temp"


def get_directory_by_type(type_name: str) -> str | None:
    return f"{base_path}/{type_name}" if type_name in ("output", "temp", "input") else None


def get_folder_paths(folder_name: str) -> list[str]:
    return folder_names_and_paths[folder_name][0][:]


def add_model_folder_path(folder_name: str, full_folder_path: str, is_default: bool = False) -> None:
    paths, _ = folder_names_and_paths.setdefault(folder_name, ([], set()))
    if full_folder_path not in paths:
        paths.insert(0 if is_default else len(paths), full_folder_path)


def get_filename_list(folder_name: str) -> list[str]:
    paths, extensions = folder_names_and_paths[folder_name]
    found = set()
    for path in paths:
        for file in Path(path).rglob("*"):
            if file.is_file() and (not extensions or file.suffix in extensions):
                found.add(file.relative_to(path).as_posix())
    return sorted(found)


def get_full_path(folder_name: str, filename: str) -> str | None:
    for path in folder_names_and_paths.get(folder_name, ([], set()))[0]:
        file = Path(path, filename)
        if file.is_file():
            return str(file)
    return None
