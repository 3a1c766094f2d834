"""Models in this process, and what their backends share."""
