"""ComfyUI's node API, as far as a text node needs it."""
