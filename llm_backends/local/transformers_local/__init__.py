"""Models that run in this process with transformers, in 4 bits through bitsandbytes or unquantized.

The only folder that imports transformers and bitsandbytes, and nothing heavy before the first call.
`backend.py` is the entry; `loading/` brings a folder into memory, `generation.py` writes.
"""
