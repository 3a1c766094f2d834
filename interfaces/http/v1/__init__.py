"""The part of OpenAI's protocol that other programs on the computer know, off until it is asked for."""
