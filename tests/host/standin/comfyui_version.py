"""The version whose behaviour the stand-in imitates."""

__version__ = "0.33.0"
