"""The trained tiny models as fixtures."""

from tiny_model.fixtures import tiny_calling, tiny_model, tiny_vision_model  # noqa: F401
