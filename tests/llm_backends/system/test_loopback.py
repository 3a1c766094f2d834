"""Loopback addresses; their use by the client and the guard is tested in interfaces/http."""

from __future__ import annotations

import pytest

from quillwork.llm_backends.system.loopback import leads_to_loopback


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:11434", True),
        ("http://LOCALHOST", True),
        ("http://fox.localhost/v1", True),
        ("http://127.0.0.1:1", True),
        ("http://127.9.9.9", True),
        ("https://[::1]:8080/v1", True),
        ("http://0.0.0.0:8000", False),
        ("http://192.168.1.4", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://example.com/localhost", False),
        ("http://localhost@example.com/", False),
        ("http://", False),
    ],
)
def test_what_is_this_machine(url, local):
    assert leads_to_loopback(url) is local
