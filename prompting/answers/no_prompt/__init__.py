"""Answers that hold no prompt: refusals, and questions to the user."""
