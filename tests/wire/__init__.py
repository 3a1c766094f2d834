"""A loopback server that speaks the providers' own wire formats, with faults on demand."""
