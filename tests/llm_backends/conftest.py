"""The trained tiny model, for whoever asks for it by name."""

from tiny_model.fixtures import tiny_model  # noqa: F401
