"""The routes in a host's web framework, one file for each framework."""
