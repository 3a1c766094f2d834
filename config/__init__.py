"""The user's choices and their alternatives: settings, keys, consent, providers, models."""
