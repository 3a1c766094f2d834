"""Clients that go, and clients that take nothing."""

from __future__ import annotations

import asyncio

from quillwork.interfaces.http.departures import Client, Departures

HANG_S = 10.0


def test_who_is_gone_is_told_once_and_nobody_else():
    async def watch() -> list[str]:
        departures, gone, told = Departures(), set(), []
        ended = asyncio.Event()

        def client(name: str) -> Client:
            def end() -> None:
                told.append(name)
                ended.set()

            return Client(lambda: name in gone, end)

        for name in ("fox", "owl", "elk"):
            one = client(name)
            departures.watch(one)
            if name == "elk":
                departures.forget(one)
        gone.update(("fox", "elk"))
        await asyncio.wait_for(ended.wait(), HANG_S)
        await asyncio.sleep(0.2)
        return told

    assert asyncio.run(watch()) == ["fox"]


def test_who_takes_nothing_for_too_long_is_given_up():
    async def watch() -> bool:
        departures, ended = Departures(patience_s=0.1), asyncio.Event()
        idle, busy = Client(lambda: False, ended.set), Client(lambda: False, lambda: None)
        for client in (idle, busy):
            departures.watch(client)
        idle.sending_since = asyncio.get_running_loop().time()
        await asyncio.wait_for(ended.wait(), HANG_S)
        return busy in departures._clients and idle not in departures._clients

    assert asyncio.run(watch())


def test_it_looks_no_more_where_there_is_nobody():
    async def watch() -> bool:
        departures = Departures()
        client = Client(lambda: False, lambda: None)
        departures.watch(client)
        departures.forget(client)
        await asyncio.sleep(0.2)
        idle = departures._timer is None
        departures.watch(client)
        return idle and departures._timer is not None

    assert asyncio.run(watch())
