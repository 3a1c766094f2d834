"""Local models, which run in this process, and the parts that their backends share."""
