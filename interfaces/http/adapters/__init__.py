"""Adapters that put the routes into a host's web framework, one file for each framework."""
