"""Remote models, and the wire formats that they speak."""
