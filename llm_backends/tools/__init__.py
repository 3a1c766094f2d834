"""Tools that a model may call while it answers: Python functions that were registered here, and no others."""
