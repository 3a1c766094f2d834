"""Text around a prompt that is not the prompt: a negative on its line, a paragraph in another language."""
