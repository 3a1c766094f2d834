"""Wishes beside an idea: length, format, language, and pictures with a job."""
