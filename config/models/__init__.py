"""The models that there are to choose from, and what is known of each without asking anybody."""
