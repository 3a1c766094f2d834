"""Reading of a prompt: what it shows, what it says of that, and what it says is not there."""
