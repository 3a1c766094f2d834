"""What is asked of a language model, and what becomes of its answer.

Knows nothing of settings, hosts or providers: whoever calls hands it a model to ask.
"""
