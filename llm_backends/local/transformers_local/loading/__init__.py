"""Loading of a model from a repository or a folder into memory."""
