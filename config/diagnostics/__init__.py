"""Diagnostics: the configuration, its health, and the estimated cost of a call."""
