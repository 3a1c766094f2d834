"""Tags that exist: the user's own tag tables, and what a model wrote made to agree with them."""
