"""Facts of an idea, and what an answer kept of them."""
