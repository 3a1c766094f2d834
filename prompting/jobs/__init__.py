"""Whole jobs: hundreds of texts written one after another, nothing computed twice and nothing lost."""
