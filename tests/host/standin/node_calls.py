"""Calling a node's method once, or once for each item of the lists that are wired into it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from comfy_execution.utils import CurrentNodeContext
from node_kinds import NodeKind

Arguments = dict[str, Any]
NOT_YET = (None,)


def is_link(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int | float)
    )


def gather_arguments(
    kind: NodeKind, inputs: dict[str, Any], fetch: Callable[[str, int], Any] | None
) -> dict[str, Any]:
    """Gather each input as the list of its values. Without `fetch`, linked inputs are not known yet."""
    found = {}
    for name, value in inputs.items():
        if is_link(value):
            found[name] = NOT_YET if fetch is None else fetch(value[0], int(value[1]))
        elif kind.accepts_all or kind.entry(name) is not None:
            found[name] = [value]
    return found


def split(kind: NodeKind, arguments: dict[str, Any]) -> list[Arguments]:
    """The arguments of each call: all lists whole, or item by item, a short list repeating its last."""
    if kind.input_is_list:
        return [arguments]
    if not arguments:
        return [{}]
    count = max(len(values) for values in arguments.values())
    return [
        {name: values[min(index, len(values) - 1)] for name, values in arguments.items()}
        for index in range(count)
    ]


async def call_all(
    kind: NodeKind,
    name: str,
    arguments: dict[str, Any],
    prompt_id: str,
    node_id: str,
    hidden: dict[str, Any],
    before: Callable[[], None] = lambda: None,
) -> list[Any]:
    """The results of all calls in order; a call that is still at it is an `asyncio.Task` in the list."""
    results: list[Any] = []
    for index, one in enumerate(split(kind, arguments)):
        before()
        method = kind.method(name, hidden)
        assert method is not None
        one = kind.nest(one)
        if not inspect.iscoroutinefunction(method):
            with CurrentNodeContext(prompt_id, node_id, index):
                results.append(method(**one))
            continue
        task = asyncio.ensure_future(_in_context(method, one, prompt_id, node_id, index))
        # One turn of the loop: what needs no waiting is done at once.
        await asyncio.sleep(0)
        results.append(task.result() if task.done() else task)
    return results


async def _in_context(
    method: Callable[..., Awaitable[Any]], one: Arguments, prompt_id: str, node_id: str, index: int
) -> Any:
    with CurrentNodeContext(prompt_id, node_id, index):
        return await method(**one)


async def finished(results: list[Any]) -> list[Any]:
    """Wait for the last of `results` and return them."""
    return [await result if isinstance(result, asyncio.Task) else result for result in results]
