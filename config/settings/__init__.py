"""Settings: every value with its origin, the table of their names, and where a user's files lie."""

from __future__ import annotations

from .values import load as load
