"""The hundred providers that litellm knows, called through it as a library."""
