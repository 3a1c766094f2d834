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
# Training takes most of a minute where nothing else runs, and CI's machines are shared.
TRAINING_S = 1200


def _cache(config: pytest.Config) -> Path:
    chosen = os.environ.get("QUILLWORK_TEST_CACHE")
    if chosen:
        root = Path(chosen).expanduser()
    else:
        cache = getattr(config, "cache", None)
        root = Path(cache.mkdir("tiny-model") if cache else tempfile.mkdtemp())
    return root / hashlib.sha256(_SCRIPT.read_bytes()).hexdigest()[:16]


def _make(folder: Path, *arguments: str) -> Path:
    """Have the script fill `folder`, in a process of its own: training sets seeds and threads."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            target = Path(made, "model")
            subprocess.run([sys.executable, str(_SCRIPT), *arguments, str(target)], check=True)
            if not folder.exists():  # another run may have been faster
                shutil.move(target, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(request: pytest.FixtureRequest) -> Path:
    """The folder of the trained model, as safetensors."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return _make(_cache(request.config) / "plain")


@pytest.fixture(scope="session")
def tiny_model_nf4(request: pytest.FixtureRequest, tiny_model: Path) -> Path:
    """The folder of the same model whose checkpoint is 4-bit."""
    pytest.importorskip("bitsandbytes")
    from quillwork.llm_backends.transformers_local.libraries import missing_for_quantisation

    if reason := missing_for_quantisation("cpu"):
        pytest.skip(reason)
    return _make(_cache(request.config) / "nf4", "--nf4-of", str(tiny_model))
