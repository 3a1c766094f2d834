"""Web UI as Quillwork's host: its port, memory, queue, routes and settings."""
