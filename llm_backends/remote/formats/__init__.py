"""Chat formats beside the one that the endpoint is asked in."""
