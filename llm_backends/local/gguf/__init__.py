"""GGUF files through llama.cpp: the mode ``gguf``."""
