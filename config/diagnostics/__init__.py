"""What is set up, whether it works, and what a call would cost."""
