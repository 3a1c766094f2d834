"""Steps that every writing node takes around its own work: run it, show it, record it, and answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from comfy_api.latest import io
from comfy_execution.utils import get_executing_context

from ...config.access.session_keys import session_keys
from ...config.choice import KEEP, UNLOAD, Choice
from ...config.opening import effective, lacks_model, no_model_notice, open_model
from ...llm_backends import modes
from ...llm_backends.local.unload import unload_in_place
from ...llm_backends.model import Model
from ...llm_backends.streaming.live import LiveText, Sink, show_all
from ..host.port import ComfyHost, interrupt, perform
from ..last_answers import memory, write_record

T = TypeVar("T")
_WHERE = "with llm_model on this node or with LLM_MODEL"


class Run:
    """One execution of a node."""

    def __init__(self, node: Any) -> None:
        hidden = node.hidden
        self._label = _label_of(node)
        self.node_id: str | None = str(hidden.unique_id) if hidden.unique_id is not None else None
        self.prompt: Mapping[str, Any] | None = hidden.prompt
        self._extra_pnginfo = hidden.extra_pnginfo
        self._keep_loaded = ""
        self._lacks_model = False
        self._live = LiveText()
        self._sink: Sink | None = None
        self._host = ComfyHost(self.node_id, self._live)

    def open_model(self, choice: Choice) -> Model:
        self._host.clip = choice.encoder
        self._keep_loaded = choice.keep_loaded
        with session_keys.as_queued(_prompt_id()):
            self._lacks_model = lacks_model(choice)
            return open_model(choice, self._live, self._host, caller=self._name())

    def _name(self) -> str:
        """Return the node's name as the graph shows it: its kind and its number."""
        return f"{self._label} #{self.node_id}" if self.node_id else self._label

    async def perform(self, coroutine: Coroutine[Any, Any, T], model: Model) -> T:
        if not model.runs_in_place:
            return await perform(coroutine, self._host)
        memory = self._host.memory
        if memory is not None:
            memory.keeps = self._keep_loaded == KEEP
        try:
            return await perform(coroutine, self._host, in_place=True)
        finally:
            if self._keep_loaded == UNLOAD:
                unload_in_place()

    def announce(self, notice: str, share: float) -> None:
        """Show `notice` in place of an answer, and the progress `share` from 0 to 1. Any thread."""
        if self._sink is None:
            (self._sink,) = self._live.start(1)
        self._sink.announce(notice, share)

    def look_up(self) -> None:
        """Show what was announced, in the execution thread. Raises the host's interrupt."""
        if self._host.cancelled():
            interrupt()
        self._host.tick()

    def note(self, record: dict[str, Any], is_substitute: bool = False) -> None:
        """Record the answer in the image's workflow, and for a later run that the host's cache answers.

        A substitute answer is made anew the next time.
        """
        mode = modes.of(record["mode"])
        if mode.stands_in:
            record |= {"label": mode.label, "no_model": self._lacks_model}
        if self.node_id is None:
            return
        if is_substitute:
            memory.was_substitute(self.node_id)
        else:
            inputs = (self.prompt or {}).get(self.node_id, {}).get("inputs") or {}
            memory.remember(self.node_id, inputs, record)
        if isinstance(self._extra_pnginfo, dict):
            write_record(self._extra_pnginfo.get("workflow"), self.node_id, record)


def _prompt_id() -> str | None:
    """Return the id of the prompt that runs now; its session keys are those that it was queued with."""
    context = get_executing_context()
    return context.prompt_id if context is not None else None


def record_of(
    kind: str,
    texts: Sequence[str],
    info: Mapping[str, Any],
    seed: int,
    *,
    negative: Sequence[str] | None = None,
    values: Sequence[str] | None = None,
    frozen: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Build the record of a run that the browser shows and the workflow saves: no key, address or path."""
    return {
        "kind": kind,
        "texts": list(texts),
        "negative": None if negative is None else list(negative),
        "values": None if values is None else list(values),
        "frozen": json.dumps(frozen, ensure_ascii=False) if frozen is not None else "",
        "mode": info.get("mode", ""),
        "model": info.get("model", ""),
        "provider": info.get("provider", ""),
        "seed": seed,
    }


def answer(record: Mapping[str, Any], info: Mapping[str, Any], *outputs: Any) -> io.NodeOutput:
    """Return the node's outputs and, for the browser, the record with the report and a lasting notice."""
    notice = no_model_notice(_WHERE) if record.get("no_model") else ""
    shown = show_all(record["texts"])
    return io.NodeOutput(
        *outputs, ui={"text": [shown], "quillwork": [{**record, "info": dict(info), "notice": notice}]}
    )


def fingerprint(node: Any, choice: Callable[[], Choice], frozen: bool, *more: str) -> str:
    """Return the host's cache key beside the inputs: settings in force, count of substitute answers."""
    node_id = str(node.hidden.unique_id) if node.hidden is not None else None
    settings = "frozen" if frozen else effective(choice())
    return "|".join((settings, str(memory.substitute_count(node_id)), *more))


def report_json(info: Mapping[str, Any]) -> str:
    return json.dumps(info, ensure_ascii=False)


def no_call_info(mode: str) -> dict[str, Any]:
    """Return the report of a run that called nothing."""
    return {
        "mode": mode,
        "model": "",
        "provider": "",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost_usd": 0.0,
        "seconds": 0.0,
        "finish_reason": "stop",
        "attempts": 0,
        "warnings": [],
    }


def frozen_lists(text: str, *names: str) -> dict[str, list[str]]:
    """Return the lists in the `frozen` widget under `names`; a bare text is the one item of the first.

    Raises ValueError with a plain sentence for JSON of another form.
    """
    stripped = text.strip()
    if not stripped:
        raise ValueError(
            "This node is frozen but has nothing to output. Run it once with freeze off, or enter a "
            "text in `frozen`."
        )
    try:
        content = json.loads(stripped) if stripped.startswith("{") else None
    except ValueError:
        content = None
    if not isinstance(content, dict) or not any(name in content for name in names):
        return {names[0]: [text], **{name: [] for name in names[1:]}}
    lists = {}
    for name in names:
        items = content.get(name, [])
        items = [items] if isinstance(items, str) else items
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise ValueError(f"The JSON in `frozen` must have a list of texts under {name!r}.")
        lists[name] = items
    return lists


def _label_of(node: Any) -> str:
    """Return the node's name in the graph, as its schema has it."""
    return getattr(getattr(node, "SCHEMA", None), "display_name", None) or "Node"
