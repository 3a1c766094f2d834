"""The litellm SDK: the hundred providers that it knows, called through it as a library."""
