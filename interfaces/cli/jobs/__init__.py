"""Commands of whole jobs: caption, enhance and variables from a file, jobs."""
