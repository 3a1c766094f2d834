"""Entry points besides ComfyUI's nodes: the command line, HTTP and the web UIs."""
