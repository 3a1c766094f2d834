"""Observers of calls: the bus, and the services that it can report to."""

from __future__ import annotations

from .dispatch import CallEvent as CallEvent
from .dispatch import drain as drain
from .dispatch import register as register
