"""Prompts by small models: the first words of an answer, and what code makes of the rest."""
