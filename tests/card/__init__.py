"""A graphics card for machines that have none: tensors that are on ``cuda:0`` and are computed on the CPU.

It shows what a CPU alone cannot: that nothing mixes tensors of two devices, how often the processor waits for
the card, that a recorded step is free of such waits and replays, and how much of a limited memory is taken.
Only a real card shows speed, and the results of the real kernels.
"""
