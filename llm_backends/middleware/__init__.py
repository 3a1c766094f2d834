"""The middleware around a call: each file holds one wrapper, each wrapper has the same shape.

A wrapper takes a `Call` and the next `Handler` and returns a `Result`.
"""
