"""Models to choose from, and the facts about each that need no request."""
