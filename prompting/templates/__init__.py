"""Templates: their syntax, the library that their variables come from, and how values are picked."""
