"""Running a prompt, node by node, in the prompt worker's thread, on a loop that lives as long as it."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
import traceback
from typing import Any

import comfy.model_management
from comfy.model_management import InterruptProcessingException
from comfy_api.latest.node import NodeOutput
from comfy_execution.progress import get_progress_state, reset_progress_state
from node_cache import Cache, Kept, Prompt
from node_calls import call_all, gather_arguments, is_link
from node_kinds import NodeKind

import nodes

COLLECT_EVERY_S = 10.0


class NodeFailed(Exception):
    """A node raised `error`; `arguments` are those that it held (none once it had waited)."""

    def __init__(self, node_id: str, error: BaseException, arguments: dict[str, Any]) -> None:
        super().__init__(node_id)
        self.node_id, self.error, self.arguments = node_id, error, arguments


class PromptExecutor:
    """The executor: `execute` runs one prompt; `success`, `status_messages`, `history_result` are its
    outcome."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.reset()

    def reset(self) -> None:
        self.cache = Cache()
        self.success = True
        self.status_messages: list[Any] = []
        self.history_result: dict[str, Any] = {"outputs": {}, "meta": {}}

    def execute(self, prompt: Prompt, prompt_id: str, extra_data: dict[str, Any], outputs: list[str]) -> None:
        # asyncio.run cancels what is still running when the prompt has ended, and waits for its end.
        asyncio.run(self._execute(prompt, prompt_id, extra_data, outputs))

    async def _execute(
        self, prompt: Prompt, prompt_id: str, extra_data: dict[str, Any], outputs: list[str]
    ) -> None:
        nodes.interrupt_processing(False)
        self.server.client_id = extra_data.get("client_id")
        self.status_messages = []
        self._message("execution_start", {"prompt_id": prompt_id})
        reset_progress_state(prompt_id, self.server)
        await self.cache.open(prompt_id, prompt)
        cached = [node_id for node_id in prompt if self.cache.get(node_id) is not None]
        self._message("execution_cached", {"nodes": cached, "prompt_id": prompt_id})
        work = Work(self.server, self.cache, prompt, prompt_id, extra_data)
        try:
            await work.run(outputs)
        except NodeFailed as failed:
            self.success = False
            self._report(prompt, prompt_id, failed, work)
        else:
            self.success = True
            work.show_cached_intermediates()
            self._message("execution_success", {"prompt_id": prompt_id})
        self.history_result = {
            "outputs": work.shown,
            "meta": {node_id: _meta(node_id) for node_id in work.shown},
        }
        self.server.last_node_id = None

    def _report(self, prompt: Prompt, prompt_id: str, failed: NodeFailed, work: Work) -> None:
        data = {
            "prompt_id": prompt_id,
            "node_id": failed.node_id,
            "node_type": prompt[failed.node_id]["class_type"],
            "executed": list(work.executed),
        }
        if isinstance(failed.error, InterruptProcessingException):
            logging.info("Processing interrupted")
            self._message("execution_interrupted", data, broadcast=True)
            return
        logging.error("!!! Exception during processing !!! %s", failed.error)
        logging.error("".join(traceback.format_exception(failed.error)))
        kind = type(failed.error)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        data |= {
            "exception_message": f"{failed.error}\n",
            "exception_type": name,
            "traceback": traceback.format_tb(failed.error.__traceback__),
            "current_inputs": {
                key: [_printable(one) for one in values] for key, values in failed.arguments.items()
            },
            "current_outputs": list(prompt),
        }
        self._message("execution_error", data)

    def _message(self, event: str, data: dict[str, Any], broadcast: bool = False) -> None:
        data = data | {"timestamp": int(time.time() * 1000)}
        self.status_messages.append((event, data))
        if self.server.client_id is not None or broadcast:
            self.server.send_sync(event, data, self.server.client_id)


def _printable(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | bool | str) else str(value)


def _meta(node_id: str) -> dict[str, Any]:
    return {"node_id": node_id, "display_node": node_id, "parent_node": None, "real_node_id": node_id}


class Work:
    """The nodes of one prompt that still have to run. A node that waits is parked, and others go on."""

    def __init__(
        self, server: Any, cache: Cache, prompt: Prompt, prompt_id: str, extra_data: dict[str, Any]
    ) -> None:
        self._server, self._cache, self._prompt = server, cache, prompt
        self._prompt_id, self._extra_data = prompt_id, extra_data
        self._waiting_for: dict[str, set[str]] = {}
        self._parked: dict[str, list[Any]] = {}
        self._back: asyncio.Event = asyncio.Event()
        self._ready_again: set[str] = set()
        self.executed: list[str] = []
        self.shown: dict[str, Any] = {}

    async def run(self, outputs: list[str]) -> None:
        """Run these outputs and all nodes that they need.

        Raises:
            NodeFailed: at the first node that raises. What is parked then is left to its fate.
        """
        for output in outputs:
            self._add(output)
        while self._waiting_for:
            node_id = await self._next()
            if await self._step(node_id):
                del self._waiting_for[node_id]
                for others in self._waiting_for.values():
                    others.discard(node_id)

    def _add(self, node_id: str) -> None:
        if node_id in self._waiting_for:
            return
        sources = [value[0] for value in self._prompt[node_id]["inputs"].values() if is_link(value)]
        missing = [source for source in sources if self._cache.get(source) is None]
        self._waiting_for[node_id] = set(missing)
        for source in missing:
            self._add(source)

    async def _next(self) -> str:
        while True:
            free = [n for n, sources in self._waiting_for.items() if not sources and n not in self._parked]
            free += [n for n in self._parked if n in self._ready_again]
            if free:
                # What shows something, or lets others go on meanwhile, comes first.
                first = [n for n in free if self._kind(n).output_node or self._kind(n).is_async]
                return (first or free)[0]
            await self._back.wait()
            self._back.clear()

    def _kind(self, node_id: str) -> NodeKind:
        return nodes.KINDS[self._prompt[node_id]["class_type"]]

    async def _step(self, node_id: str) -> bool:
        """Run a node, or take in what it came back with. False when it is parked."""
        kept = self._cache.get(node_id)
        if kept is not None:
            self._show_cached(node_id, kept)
            return True
        arguments: dict[str, Any] = {}
        try:
            if node_id in self._parked:
                results = [
                    r.result() if isinstance(r, asyncio.Task) else r for r in self._parked.pop(node_id)
                ]
            else:
                arguments = self._arguments(node_id)
                results = await self._begin(node_id, arguments)
                if any(isinstance(r, asyncio.Task) and not r.done() for r in results):
                    self._park(node_id, results)
                    return False
                results = [r.result() if isinstance(r, asyncio.Task) else r for r in results]
            self._finish(node_id, [NodeOutput.of(result) for result in results])
        except (Exception, InterruptProcessingException) as error:
            # Any other BaseException, a CancelledError above all, goes through and ends the worker.
            raise NodeFailed(node_id, error, arguments) from None
        return True

    def _arguments(self, node_id: str) -> dict[str, Any]:
        def fetch(source: str, slot: int) -> Any:
            kept = self._cache.get(source)
            return (None,) if kept is None or slot >= len(kept.outputs) else kept.outputs[slot]

        return gather_arguments(self._kind(node_id), self._prompt[node_id]["inputs"], fetch)

    async def _begin(self, node_id: str, arguments: dict[str, Any]) -> list[Any]:
        get_progress_state().start(node_id)
        self._server.last_node_id = node_id
        self._send("executing", {"node": node_id, "display_node": node_id, "prompt_id": self._prompt_id})
        kind = self._kind(node_id)
        hidden = {
            "unique_id": node_id,
            "prompt": self._prompt,
            "extra_pnginfo": self._extra_data.get("extra_pnginfo"),
        }
        arguments |= {name: [value] for name, value in kind.hidden_arguments(hidden).items()}
        return await call_all(
            kind, "execute", arguments, self._prompt_id, node_id, hidden, nodes.before_node_execution
        )

    def _park(self, node_id: str, results: list[Any]) -> None:
        self._parked[node_id] = results

        async def watch() -> None:
            tasks = [result for result in results if isinstance(result, asyncio.Task)]
            await asyncio.gather(*tasks, return_exceptions=True)
            self._ready_again.add(node_id)
            self._back.set()

        self._watcher = asyncio.ensure_future(watch())

    def _finish(self, node_id: str, results: list[NodeOutput]) -> None:
        kind = self._kind(node_id)
        shown = [result.ui for result in results if result.ui is not None]
        if shown:
            merged = {key: [one for ui in shown for one in ui[key]] for key in shown[0]}
            self.shown[node_id] = merged
            self._send_executed(node_id, merged)
        outputs = []
        values = [result.args for result in results if result.args]
        for index in range(len(values[0]) if values else 0):
            is_list = index < len(kind.output_is_list) and kind.output_is_list[index]
            outputs.append([o for v in values for o in v[index]] if is_list else [v[index] for v in values])
        self._cache.put(node_id, Kept(outputs, self.shown.get(node_id)))
        get_progress_state().finish(node_id)
        self.executed.append(node_id)

    def _show_cached(self, node_id: str, kept: Kept) -> None:
        if kept.ui is not None:
            self.shown[node_id] = kept.ui
        self._send_executed(node_id, kept.ui)
        get_progress_state().finish(node_id)

    def show_cached_intermediates(self) -> None:
        for node_id in self._prompt:
            kept = self._cache.get(node_id)
            if node_id not in self.executed and self._kind(node_id).intermediate_output and kept is not None:
                self._show_cached(node_id, kept)

    def _send_executed(self, node_id: str, ui: dict[str, Any] | None) -> None:
        data = {"node": node_id, "display_node": node_id, "output": ui, "prompt_id": self._prompt_id}
        self._send("executed", data)

    def _send(self, event: str, data: dict[str, Any]) -> None:
        if self._server.client_id is not None:
            self._server.send_sync(event, data, self._server.client_id)


def prompt_worker(server: Any) -> None:
    """The thread that runs prompts, one after the other. Nothing catches what ends it."""
    from prompt_queue import ExecutionStatus

    executor, queue = PromptExecutor(server), server.prompt_queue
    collected = 0.0
    while True:
        found = queue.get(timeout=1000.0)
        if found is not None:
            (_, prompt_id, prompt, extra_data, outputs, sensitive), number = found
            began = time.perf_counter()
            server.last_prompt_id = prompt_id
            executor.execute(prompt, prompt_id, extra_data | sensitive, outputs)
            status = ExecutionStatus(
                "success" if executor.success else "error", executor.success, executor.status_messages
            )
            queue.task_done(number, executor.history_result, status)
            if server.client_id is not None:
                server.send_sync("executing", {"node": None, "prompt_id": prompt_id}, server.client_id)
            logging.info("Prompt executed in %.2f seconds", time.perf_counter() - began)
            if time.perf_counter() - collected > COLLECT_EVERY_S:
                gc.collect()
                collected = time.perf_counter()
        flags = queue.get_flags()
        if flags.get("unload_models", flags.get("free_memory", False)):
            comfy.model_management.unload_all_models()
        if flags.get("free_memory", False):
            executor.reset()
