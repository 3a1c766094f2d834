"""Loopback hosts, which are this very machine: for outgoing calls and for incoming ones."""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import urlsplit

_NAMES = ("localhost", "ip6-localhost", "ip6-loopback")
# What inet_aton takes besides four decimals: 127.1, 0x7f000001. It would also pass over text behind a space.
_SHORT_IPV4 = re.compile(r"[0-9][0-9a-fx.]*", re.ASCII)


@lru_cache(maxsize=128)  # asked at every call
def is_loopback(host: str) -> bool:
    """Tell whether `host` is a loopback name or address, with or without its brackets, zone or final dot.

    ``0.0.0.0`` and ``::`` are none: a server that listens there can be reached from everywhere.
    """
    name = _bare(host)
    if name in _NAMES or name.endswith(".localhost"):
        return True
    address = address_of(name)
    return address is not None and address.is_loopback


@lru_cache(maxsize=128)
def leads_to_loopback(url: str) -> bool:
    """Tell whether the host of `url` is this very machine."""
    return is_loopback(urlsplit(url).hostname or "")


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that `host` is, in whatever form a system takes; None for a name."""
    name = _bare(host)
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
        return getattr(address, "ipv4_mapped", None) or address
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name)) if _SHORT_IPV4.fullmatch(name) else None
    except OSError:
        return None


def _bare(host: str) -> str:
    return host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
