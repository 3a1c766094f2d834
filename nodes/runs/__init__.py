"""What each node does when it runs. Loaded by the first run: the host's start waits for the schemas alone."""
