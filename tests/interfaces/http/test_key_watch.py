"""Expiry of session keys with their browsers and jobs, by a watch that looks now and then."""

from __future__ import annotations

import asyncio

from quillwork.config.access.session_keys import GRACE_S, SessionKeys
from quillwork.interfaces.http.key_watch import KeyWatch


def test_keys_go_once_their_browser_has_been_gone_long_enough():
    now, browsers, jobs = [0.0], {"tab"}, {"job"}
    keys = SessionKeys(lambda: now[0])

    async def live() -> None:
        watch = KeyWatch(lambda: browsers, lambda: jobs, keys, every_s=0.001)
        watch.start()
        await until(lambda: not watch.is_watching)
        keys.set("openai", "sk-one", "tab")
        keys.capture("job")
        watch.start()
        now[0] += GRACE_S * 2
        await asyncio.sleep(0.01)
        assert keys.providers() == ["openai"], "its browser is there"
        browsers.clear()
        await asyncio.sleep(0.01)
        assert keys.providers() == ["openai"], "it may be reloading"
        now[0] += GRACE_S
        await until(lambda: not keys.providers())
        assert keys.jobs() == ["job"]
        assert watch.is_watching
        jobs.clear()
        await until(lambda: not watch.is_watching)
        assert keys.jobs() == []

    asyncio.run(asyncio.wait_for(live(), 20))


async def until(true) -> None:
    while not true():
        await asyncio.sleep(0.001)
