"""What the nodes do when they run, and routes when they are asked. Loaded by the first run or request: the
host's start waits for the schemas alone."""

from __future__ import annotations

from ...config import local_models
from ..folders import model_folders

local_models.use_folders(model_folders)
