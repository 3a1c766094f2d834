"""Access of callers: keys, the machine's consents, the plan."""
