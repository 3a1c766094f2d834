"""OpenAI-compatible endpoint for other programs on the computer, off until it is switched on."""
