"""An imitation of the Hugging Face hub on loopback."""
