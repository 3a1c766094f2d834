"""Work of the nodes when they run. Loaded by the first run: the host's start waits for the schemas alone."""
