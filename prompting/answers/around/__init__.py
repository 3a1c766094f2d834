"""Text around a prompt that is not the prompt: a negative, further versions, a table, another language."""
