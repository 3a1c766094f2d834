"""Observers of calls: the bus, and the services that it can report to."""

from __future__ import annotations

from .dispatch import drain as drain
from .dispatch import register as register
from .events import CallEvent as CallEvent
