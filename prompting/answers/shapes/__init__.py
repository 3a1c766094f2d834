"""Shapes of a prompt that are more than one text: labelled parts, lyrics, shots, JSON by a schema."""
