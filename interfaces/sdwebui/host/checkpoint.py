"""Recognition of the image model that a job is for, where the host reveals it.

It goes by the checkpoint's name, by what is loaded, by the contents of the file, or by the page's preset.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from ....config.settings.home import targets_folder
from ....prompting import targets
from .lookup import shared

GENERAL = "general"

# In the name of a checkpoint, letters and digits only: families that the architecture does not tell apart.
_FAMILIES = (
    ("pony", "pony_v6"),
    ("noobai", "noobai"),
    ("illustrious", "illustrious"),
    ("animaginexl4", "animagine_xl_4"),
    ("animagine", "animagine_xl_3"),
    ("kontext", "flux1_kontext"),
    ("flux2klein", "flux2_klein"),
    ("flux2", "flux2_dev"),
    ("schnell", "flux1_schnell"),
    ("zimageturbo", "z_image_turbo"),
    ("zimage", "z_image"),
    ("qwenimageedit", "qwen_image_edit"),
    ("qwenimage", "qwen_image"),
    ("netayume", "netayume"),
    ("netalumina", "netayume"),
    ("lumina", "lumina_2"),
    ("hidream", "hidream_i1"),
    ("chroma1", "chroma"),
    ("chromahd", "chroma"),
    ("ernieimage", "ernie_image"),
    ("krea2", "krea_2"),
    ("wan22i2v", "wan_2_2_i2v"),
    ("wan22", "wan_2_2_t2v"),
    ("wan21i2v", "wan_2_1_i2v"),
    ("wan21", "wan_2_1_t2v"),
)
# Less certain: what is loaded knows better.
_HINTS = (("flux", "flux1_dev"), ("xl", "sdxl"), ("sd15", "sd15"), ("v15", "sd15"))
# The class of what is loaded: Forge's engines, SD.Next's pipelines.
_ENGINES = (
    (r"chroma", "chroma"),
    (r"schnell", "flux1_schnell"),
    (r"flux2(k|klein)", "flux2_klein"),
    (r"flux2", "flux2_dev"),
    (r"flux", "flux1_dev"),
    (r"zimage", "z_image"),
    (r"qwen", "qwen_image"),
    (r"lumina", "lumina_2"),
    (r"krea2", "krea_2"),
    (r"ernie", "ernie_image"),
    (r"^wan21_i2v$", "wan_2_1_i2v"),
    (r"^wan(21_t2v)?$", "wan_2_1_t2v"),
    (r"xl", "sdxl"),
    (r"^anima$", "anima"),
    (r"^sd15$|^stablediffusion(pipeline)?$", "sd15"),
)
# In the names of a file's tensors, all of them in it; the first that fits.
_TENSORS = (
    (("distilled_guidance_layer.",), "chroma"),
    (("double_stream_modulation_img.", "guidance_in."), "flux2_dev"),
    (("double_stream_modulation_img.",), "flux2_klein"),
    (("double_blocks.", "guidance_in."), "flux1_dev"),
    (("double_blocks.", "img_in."), "flux1_schnell"),
    (("txtfusion.projector.",), "krea_2"),
    (("cap_embedder.", "cap_pad_token"), "z_image"),
    (("cap_embedder.", "noise_refiner."), "lumina_2"),
    (("llm_adapter.blocks.",), "anima"),
    (("conditioner.embedders.1.",), "sdxl"),
    (("diffusion_model.label_emb.",), "sdxl"),
    (("cond_stage_model.transformer.",), "sd15"),
)
# In SD.Next's names of video models, squashed too.
_VIDEO = (
    ("wan22", ("wan_2_2_t2v", "wan_2_2_i2v")),
    ("wan21", ("wan_2_1_t2v", "wan_2_1_i2v")),
    ("skyreelsv2", ("wan_2_1_t2v", "wan_2_1_i2v")),
    ("hunyuan", ("hunyuan_video_1_5_t2v", "hunyuan_video_1_5_i2v")),
    ("ltxvideo0", ("ltx_video", "ltx_video_i2v")),
    ("ltxvideo2", ("ltx_2", "ltx_2_i2v")),
)
_FROM_A_PICTURE = ("i2v", "flf2v", "animate")
_LONGEST_HEADER = 16 * 2**20
# Those of Forge and Forge Neo but "sd", which nobody has chosen.
_PRESETS = {
    "xl": "sdxl",
    "flux": "flux1_dev",
    "klein": "flux2_klein",
    "qwen": "qwen_image",
    "lumina": "lumina_2",
    "zit": "z_image_turbo",
    "wan": "wan_2_2_t2v",
    "anima": "anima",
    "ernie": "ernie_image",
    "krea": "krea_2",
}


def target_of(p: Any, fallback: str = GENERAL) -> targets.Target:
    """Return the target of the checkpoint that the job `p` is for, `fallback` where that is not known."""
    return targets.load(_guess(p) or fallback, targets_folder())


def video_target(name: str) -> str | None:
    """Return the target of the video model that SD.Next calls `name`; None for one that is not known."""
    squashed = re.sub(r"[\W_]+", "", name).lower()
    starts_from_a_picture = any(mark in squashed for mark in _FROM_A_PICTURE)
    return next((ids[starts_from_a_picture] for mark, ids in _VIDEO if mark in squashed), None)


def _guess(p: Any) -> str | None:
    override = (getattr(p, "override_settings", None) or {}).get("sd_model_checkpoint")
    options = getattr(shared(), "opts", None)
    name = str(override or getattr(options, "sd_model_checkpoint", None) or "")
    found = _first(_FAMILIES, name)
    if found is None and not override:
        found = _of_engine(loaded_model())
    found = found or _of_file(chosen_file(name))
    return found or _first(_HINTS, name) or _PRESETS.get(str(getattr(options, "forge_preset", "")))


def _first(marks: tuple[tuple[str, str], ...], name: str) -> str | None:
    squashed = re.sub(r"[\W_]+", "", name.rpartition(".")[0] or name).lower()
    return next((target for mark, target in marks if mark in squashed), None)


def _of_engine(model: Any) -> str | None:
    """Return the target of a loaded model, by the names of its classes and by the host's own flags."""
    if model is None:
        return None
    flags = (("is_sdxl", "sdxl"), ("is_sd1", "sd15"), ("is_sd2", "sd15"))
    for flag, target in flags:
        if getattr(model, flag, False):
            return target
    config = getattr(model, "model_config", None)
    names = [type(part).__name__.lower() for part in (config, model) if part is not None]
    return next((target for name in names for pattern, target in _ENGINES if re.search(pattern, name)), None)


def loaded_model() -> Any:
    """Return the checkpoint in memory, None where there is none yet; nothing is loaded for it."""
    try:
        from modules import sd_models
    except ImportError:
        return None
    data = getattr(sd_models, "model_data", None)
    # A1111's own getter, and `shared.sd_model`, would load it.
    model = getattr(data, "sd_model", None)
    return None if type(model).__name__ == "FakeInitialModel" else model


def chosen_file(title: str = "") -> str:
    """Return the file of the checkpoint `title`, else of the chosen one; empty where the host names none."""
    try:
        from modules import sd_models
    except ImportError:
        return ""
    title = title or getattr(getattr(shared(), "opts", None), "sd_model_checkpoint", None) or ""
    info = (getattr(sd_models, "checkpoint_aliases", None) or {}).get(title)
    return str(getattr(info, "filename", "") or "")


def _of_file(file: str) -> str | None:
    """Return the target of a checkpoint that is not loaded yet, by the telling names of its tensors."""
    if not file.endswith(".safetensors"):
        return None
    try:
        names = _tensor_names(file, Path(file).stat().st_mtime_ns)
    except (OSError, ValueError):
        return None
    return next((target for marks, target in _TENSORS if all(mark in names for mark in marks)), None)


@lru_cache(maxsize=8)
def _tensor_names(file: str, _mtime_ns: int) -> str:
    """Return all tensor names, in one text.

    Reads the file's header only; raises ValueError for a file that is not a checkpoint.
    """
    with open(file, "rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError("no header")
        header = json.loads(opened.read(length))
    return "\n".join(header) if isinstance(header, dict) else ""
