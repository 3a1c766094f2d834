"""Calls to the providers of the table: by litellm, or directly where a provider speaks OpenAI's format."""
