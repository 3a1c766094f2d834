"""The workflow's own text encoder as a language model: the mode ``host_encoder``."""
