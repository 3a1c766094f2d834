"""Hosts with a model behind them: the imitation server as an endpoint."""

from __future__ import annotations

import pytest
from host.fixtures import Hosts
from host.process import Host
from nodes.graphs import KEY
from wire.server import WireServer


@pytest.fixture
def endpoint_host(host_factory: Hosts, wire: WireServer) -> Host:
    """Start a host whose settings name an endpoint, a model and a key, as a user's environment does."""
    return host_factory(
        {
            "LLM_BASE_URL": f"{wire.url}/v1",
            "LLM_MODEL": "fox",
            "LLM_API_KEY": KEY,
            "LLM_MAX_CONCURRENCY": "16",
        }
    )
