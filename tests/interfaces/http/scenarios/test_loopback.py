"""Loopback addresses: outgoing and incoming calls agree on them."""

from __future__ import annotations

import pytest

from quillwork.llm_backends.remote.http_client import proxy_for

HERE = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "fox.localhost",
    "Fox.Localhost.",
    "ip6-localhost",
    "ip6-loopback",
    "127.0.0.1",
    "127.0.0.1.",
    "127.9.9.9",
    "127.1",
    "0x7f.1",
    "2130706433",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
]
ELSEWHERE = [
    "127.evil.com",
    "127.0.0.1.evil.com",
    "localhost.evil.com",
    "evil-localhost",
    "notlocalhost",
    "ip6-localhost.evil.com",
    "0.0.0.0",
    "[::]",
    "[::ffff:0.0.0.0]",
    "128.1",
    "0",
    "192.168.1.4",
    "[::ffff:192.168.1.4]",
    "[fe80::1]",
    "xn--127",
]
HOSTS = [(host, True) for host in HERE] + [(host, False) for host in ELSEWHERE]


@pytest.mark.parametrize(("host", "here"), HOSTS)
def test_both_doors_agree_on_which_host_is_this_machine(call, monkeypatch, host, here):
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert (proxy_for(f"http://{host}:8188/v1") is None) is here
    assert (call("GET", "targets", headers={"host": f"{host}:8188"}).status == 200) is here


@pytest.mark.parametrize(("host", "here"), HOSTS)
def test_a_host_that_listens_on_this_machine_alone_asks_for_no_token(call, host, here):
    call.host.listens = (host.strip("[]"),)
    assert (call("GET", "keys").status == 200) is here
