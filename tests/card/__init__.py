"""A graphics card for machines that have none: tensors that are on ``cuda:0`` and are computed on the CPU.

What a CPU alone cannot show, this does: that nothing mixes tensors of two devices, how often the processor
waits for the card, that a recorded step is free of such waits and replays, and what is taken of a memory
that ends. Speed, and what the real kernels compute, only a real card shows.
"""
