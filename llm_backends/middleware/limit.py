"""The limit on concurrent calls to one endpoint."""

from __future__ import annotations

import asyncio
import weakref

from ..call import Call, Handler
from ..types import Result

# By loop, because a semaphore belongs to one. Keyed by the limit too: a changed setting counts from the
# next call on.
_Semaphores = dict[tuple[object, ...], asyncio.Semaphore]
_semaphores: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Semaphores] = weakref.WeakKeyDictionary()


async def limited(call: Call, proceed: Handler) -> Result:
    deployment = call.deployment
    semaphores = _semaphores.setdefault(asyncio.get_running_loop(), {})
    key = (deployment.backend, deployment.provider, deployment.base_url, deployment.max_concurrency)
    semaphore = semaphores.get(key)
    if semaphore is None:
        semaphore = semaphores[key] = asyncio.Semaphore(max(1, deployment.max_concurrency))
    async with semaphore:
        return await proceed(call)
