"""The spread of calls over several servers of the same model."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

from .. import errors
from ..call import Call, Handler
from ..types import Result

# Errors of one server that another may not have.
_OF_ONE = (errors.ConnectionFailed, errors.TimedOut, errors.ProviderFailed, errors.RateLimited)
# Seconds for which a server that failed is only asked when no other is left.
_RESTS_S = 10.0

# Only the runner's loop calls more than one server.
_busy: Counter[str] = Counter()
_rests_until: dict[str, float] = {}


async def spread(call: Call, proceed: Handler) -> Result:
    """Ask the server with the fewest calls open, and the next one where it fails; of all errors the last is
    raised."""
    deployment = call.deployment
    if not deployment.replicas:
        return await proceed(call)
    left = [deployment.base_url or "", *deployment.replicas]
    try:
        while True:
            now = time.monotonic()
            server = min(left, key=lambda one: (_rests_until.get(one, 0.0) > now, _busy[one]))
            left.remove(server)
            call.deployment = replace(deployment, base_url=server, replicas=())
            _busy[server] += 1
            try:
                return await proceed(call)
            except _OF_ONE:
                _rests_until[server] = time.monotonic() + _RESTS_S
                if not left:
                    raise
                call.sink.restart()
            finally:
                _busy[server] -= 1
    finally:
        call.deployment = deployment
