"""What the user chose, and what there is to choose from: settings, keys, consent, providers."""
