"""From a repository or a folder to a model in memory."""
