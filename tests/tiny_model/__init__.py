"""A language model small enough to be trained by the suite itself."""
