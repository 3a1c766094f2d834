"""Clients that disconnect, and clients that stop reading."""

from __future__ import annotations

import asyncio

from quillwork.interfaces.http.disconnects import Client, Disconnects

HANG_S = 30.0


def test_at_end_is_called_until_forgotten_and_for_nobody_else():
    async def watch() -> list[str]:
        disconnects, gone, calls = Disconnects(), set(), []
        ended = asyncio.Event()

        def client(name: str) -> Client:
            def end() -> None:
                calls.append(name)
                if len(calls) == 3:
                    disconnects.forget(one)
                    ended.set()

            one = Client(lambda: name in gone, end)
            return one

        for name in ("fox", "owl", "elk"):
            one = client(name)
            disconnects.watch(one)
            if name == "elk":
                disconnects.forget(one)
        gone.update(("fox", "elk"))
        await asyncio.wait_for(ended.wait(), HANG_S)
        await asyncio.sleep(0.2)
        return calls

    assert asyncio.run(watch()) == ["fox"] * 3


def test_who_takes_nothing_for_too_long_is_given_up():
    async def watch() -> bool:
        disconnects, ended, calls = Disconnects(patience_s=0.1), asyncio.Event(), []
        idle, busy = Client(lambda: False, ended.set), Client(lambda: False, lambda: calls.append("busy"))
        for client in (idle, busy):
            disconnects.watch(client)
        idle.sending_since = asyncio.get_running_loop().time()
        await asyncio.wait_for(ended.wait(), HANG_S)
        disconnects.forget(idle)
        disconnects.forget(busy)
        return not calls

    assert asyncio.run(watch())


def test_it_looks_no_more_where_there_is_nobody():
    async def watch() -> bool:
        disconnects = Disconnects()
        client = Client(lambda: False, lambda: None)
        disconnects.watch(client)
        disconnects.forget(client)
        await asyncio.sleep(0.2)
        idle = disconnects._timer is None
        disconnects.watch(client)
        return idle and disconnects._timer is not None

    assert asyncio.run(watch())
