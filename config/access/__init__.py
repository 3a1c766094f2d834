"""What a caller may use: keys, the machine's consents, the plan."""
