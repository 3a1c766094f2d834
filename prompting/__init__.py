"""Questions to a language model, and what is made of its answers.

Knows nothing of settings, hosts or providers: the caller hands it a model to ask.
"""
