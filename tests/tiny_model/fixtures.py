"""The tiny model as fixtures: trained once for a machine, kept in a folder that the next run finds again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).with_name("train.py")
_SEEING_SCRIPT = Path(__file__).with_name("see.py")
_CALLING_SCRIPT = Path(__file__).with_name("call.py")
# Training takes most of a minute where nothing else runs, and CI's machines are shared.
TRAINING_S = 1200


def _cache(config: pytest.Config, script: Path = _SCRIPT) -> Path:
    chosen = os.environ.get("QUILLWORK_TEST_CACHE")
    if chosen:
        root = Path(chosen).expanduser()
    else:
        cache = getattr(config, "cache", None)
        root = Path(cache.mkdir("tiny-model") if cache else tempfile.mkdtemp())
    scripts = _SCRIPT.read_bytes() if script == _SCRIPT else _SCRIPT.read_bytes() + script.read_bytes()
    return root / hashlib.sha256(scripts).hexdigest()[:16]


def _make(folder: Path, *arguments: str, script: Path = _SCRIPT) -> Path:
    """Have `script` fill `folder`, in a process of its own: training sets seeds and threads."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            target = Path(made, "model")
            subprocess.run([sys.executable, str(script), *arguments, str(target)], check=True)
            if not folder.exists():  # another run may have been faster
                shutil.move(target, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(request: pytest.FixtureRequest) -> Path:
    """The folder of the trained model, as safetensors."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    # By its size alone it would be one that is trusted with less.
    return _make(_cache(request.config) / "plain-1b")


@pytest.fixture(scope="session")
def tiny_model_nf4(request: pytest.FixtureRequest, tiny_model: Path) -> Path:
    """The folder of the same model whose checkpoint is 4-bit."""
    pytest.importorskip("bitsandbytes")
    from quillwork.llm_backends.local.transformers_local.libraries import missing_for_quantisation

    if reason := missing_for_quantisation("cpu"):
        pytest.skip(reason)
    return _make(_cache(request.config) / "nf4", "--nf4-of", str(tiny_model))


def _vision_model(config: pytest.Config, kind: str) -> Path:
    pytest.importorskip("torch")
    pytest.importorskip("PIL")
    transformers = pytest.importorskip("transformers")
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if kind not in CONFIG_MAPPING_NAMES:
        pytest.skip(f"transformers {transformers.__version__} has no {kind}")
    # What transformers 5 saves of this tokenizer, 4 does not read.
    folder = _cache(config, _SEEING_SCRIPT) / f"{kind}-{transformers.__version__.partition('.')[0]}"
    others = sorted(folder.parent.glob(f"{kind}-*")) if not folder.exists() else ()
    weights = ("--weights-of", str(others[0])) if others else ()
    return _make(folder, kind, *weights, script=_SEEING_SCRIPT)


@pytest.fixture(scope="session")
def tiny_calling(request: pytest.FixtureRequest) -> Path:
    """The folder of the model that calls a tool (`tiny_model.call`)."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return _make(_cache(request.config, _CALLING_SCRIPT) / "calling", script=_CALLING_SCRIPT)


@pytest.fixture(scope="session")
def tiny_vision_model(request: pytest.FixtureRequest) -> Path:
    """The folder of the model that names colours (Qwen2.5-VL)."""
    return _vision_model(request.config, "qwen2_5_vl")


@pytest.fixture(scope="session", params=["qwen2_5_vl", "qwen3_vl"])
def each_vision_model(request: pytest.FixtureRequest) -> Path:
    """The folders of models that name colours, one of each build that this transformers has."""
    return _vision_model(request.config, request.param)
