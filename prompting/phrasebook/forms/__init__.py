"""Prompts of other forms than a paragraph or a list: clips, JSON, sections, editing instructions, music."""
