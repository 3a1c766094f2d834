"""What stands around a call: each file one wrapper, each wrapper of the same shape.

A wrapper takes a `Call` and the next `Handler` and gives a `Result`.
"""
