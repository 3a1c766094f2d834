"""The machine underneath: files and locks on it, its command line, its loopback addresses."""
