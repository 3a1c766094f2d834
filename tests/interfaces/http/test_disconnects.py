"""Clients that disconnect, and clients that stop reading."""

from __future__ import annotations

import asyncio

from quillwork.interfaces.http.disconnects import Client, Departures

HANG_S = 10.0


def test_who_is_gone_is_told_until_forgotten_and_nobody_else():
    async def watch() -> list[str]:
        departures, gone, told = Departures(), set(), []
        ended = asyncio.Event()

        def client(name: str) -> Client:
            def end() -> None:
                told.append(name)
                if len(told) == 3:
                    departures.forget(one)
                    ended.set()

            one = Client(lambda: name in gone, end)
            return one

        for name in ("fox", "owl", "elk"):
            one = client(name)
            departures.watch(one)
            if name == "elk":
                departures.forget(one)
        gone.update(("fox", "elk"))
        await asyncio.wait_for(ended.wait(), HANG_S)
        await asyncio.sleep(0.2)
        return told

    assert asyncio.run(watch()) == ["fox"] * 3


def test_who_takes_nothing_for_too_long_is_given_up():
    async def watch() -> bool:
        departures, ended, told = Departures(patience_s=0.1), asyncio.Event(), []
        idle, busy = Client(lambda: False, ended.set), Client(lambda: False, lambda: told.append("busy"))
        for client in (idle, busy):
            departures.watch(client)
        idle.sending_since = asyncio.get_running_loop().time()
        await asyncio.wait_for(ended.wait(), HANG_S)
        departures.forget(idle)
        departures.forget(busy)
        return not told

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
