"""Tokens and dollars: estimated before a call, metered after it, added up and limited."""
