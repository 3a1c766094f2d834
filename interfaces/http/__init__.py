"""HTTP routes: handlers that know no framework, and an adapter for each host."""
