"""The trained tiny models, for whoever asks for them by name."""

from tiny_model.fixtures import tiny_calling, tiny_model  # noqa: F401
