from hub.fixtures import _hub_thread, hub  # noqa: F401
