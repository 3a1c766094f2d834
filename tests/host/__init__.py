"""A ComfyUI for tests: the real one when COMFYUI_PATH names it, else the stand-in beside this file."""
