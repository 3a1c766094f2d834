"""Handlers of the routes, one file for each subject."""
