"""Quillwork tab, one file for each part of its page."""
