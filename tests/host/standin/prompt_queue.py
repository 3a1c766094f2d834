"""The queue of prompts: those that wait, the one that runs, and the history of the others."""

from __future__ import annotations

import copy
import heapq
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

# (number, prompt id, prompt, extra data, outputs to run, sensitive data)
Item = tuple[float, str, dict[str, Any], dict[str, Any], list[str], dict[str, Any]]


class ExecutionStatus(NamedTuple):
    status_str: str
    completed: bool
    messages: list[Any]


class PromptQueue:
    def __init__(self, server: Any) -> None:
        self.server = server
        self.mutex = threading.RLock()
        self.not_empty = threading.Condition(self.mutex)
        self.task_counter = 0
        self.queue: list[Item] = []
        self.currently_running: dict[int, Item] = {}
        self.history: dict[str, dict[str, Any]] = {}
        self.flags: dict[str, Any] = {}

    def put(self, item: Item) -> None:
        with self.mutex:
            heapq.heappush(self.queue, item)
            self.server.queue_updated()
            self.not_empty.notify()

    def get(self, timeout: float | None = None) -> tuple[Item, int] | None:
        """The next prompt and its number in here; None after `timeout` seconds, or when a flag was set."""
        with self.not_empty:
            if not self.queue:
                self.not_empty.wait(timeout)
            if not self.queue:
                return None
            item, number = heapq.heappop(self.queue), self.task_counter
            self.task_counter += 1
            # A copy: what nodes write into the workflow while they run is not filed.
            self.currently_running[number] = copy.deepcopy(item)
            self.server.queue_updated()
            return item, number

    def task_done(self, number: int, result: dict[str, Any], status: ExecutionStatus) -> None:
        with self.mutex:
            item = self.currently_running.pop(number)
            self.history[item[1]] = {"prompt": item[:5], "outputs": {}, "status": status._asdict()} | result
            self.server.queue_updated()

    def get_current_queue_volatile(self) -> tuple[list[Item], list[Item]]:
        with self.mutex:
            return list(self.currently_running.values()), list(self.queue)

    get_current_queue = get_current_queue_volatile

    def get_tasks_remaining(self) -> int:
        with self.mutex:
            return len(self.queue) + len(self.currently_running)

    def wipe_queue(self) -> None:
        with self.mutex:
            self.queue = []
            self.server.queue_updated()

    def delete_queue_item(self, matches: Callable[[Item], bool]) -> bool:
        with self.mutex:
            kept = [item for item in self.queue if not matches(item)]
            found = len(kept) < len(self.queue)
            self.queue = kept
            heapq.heapify(self.queue)
            self.server.queue_updated()
            return found

    def get_history(self, prompt_id: str | None = None, max_items: int | None = None) -> dict[str, Any]:
        with self.mutex:
            if prompt_id is not None:
                return {prompt_id: self.history[prompt_id]} if prompt_id in self.history else {}
            names = list(self.history)[-max_items:] if max_items else list(self.history)
            return {name: self.history[name] for name in names}

    def wipe_history(self) -> None:
        with self.mutex:
            self.history = {}

    def delete_history_item(self, prompt_id: str) -> None:
        with self.mutex:
            self.history.pop(prompt_id, None)

    def set_flag(self, name: str, data: Any) -> None:
        with self.mutex:
            self.flags[name] = data
            self.not_empty.notify()

    def get_flags(self, reset: bool = True) -> dict[str, Any]:
        with self.mutex:
            flags = dict(self.flags)
            if reset:
                self.flags = {}
            return flags
