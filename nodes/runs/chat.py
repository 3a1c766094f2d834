"""Run of LLM Chat."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ...config.choice import Choice
from ...llm_backends.types import Image
from ...prompting.chat import Question, Reply, chat
from ...prompting.history import EMPTY, History
from ...prompting.tools.variable_tools import ADD
from ..host.images import encode_pictures
from ..host.port import PromptOver
from .library_marks import marks, open_library
from .running import Run, answer, record_of, report_json
from .tools import tools_named

# Each costs as much as several hundred words, in every question of the conversation.
MOST_PICTURES = 16
_ALL_VARIABLES = "**"


def library_state(node_id: object, tools: str) -> str:
    """Return, for the host's cache, the state of the user's variables where the model may look at them."""
    if "variables." not in tools:
        return ""
    return marks.signature(node_id, open_library(), [_ALL_VARIABLES])


async def talk(
    node: Any,
    *,
    prompt: str,
    system: str,
    seed: int,
    choice: Choice,
    tools: str,
    history: Any,
    image: Any,
) -> io.NodeOutput:
    """Return the node's outputs. `history` is None or a `History`, `image` None or a batch of pictures."""
    run = Run(node)
    before = _checked(history)
    chosen = tools_named(tools)
    pictures, notes = _pictures(image)
    model = run.open_model(choice)
    library = open_library()
    state = {_ALL_VARIABLES: library.signature([_ALL_VARIABLES])} if ADD in tools else {}
    question = Question(prompt, system, pictures, seed)
    try:
        reply = await run.perform(chat(question, model, history=before, tools=chosen), model)
    except PromptOver:
        return io.NodeOutput("", EMPTY, "")
    marks.wrote(run.node_id, library, state)
    reply.info["warnings"].extend(notes)
    return _answer(run, reply, seed)


def _answer(run: Run, reply: Reply, seed: int) -> io.NodeOutput:
    record = record_of("chat", [reply.text], reply.info, seed)
    run.note(record, reply.is_substitute)
    return answer(record, reply.info, reply.text, reply.history, report_json(reply.info))


def _checked(history: Any) -> History:
    if history is None:
        return EMPTY
    if not isinstance(history, History):
        raise ValueError(
            "`history` is not a conversation. Connect it to the history output of another LLM Chat."
        )
    return history


def _pictures(batch: Any) -> tuple[tuple[Image, ...], list[str]]:
    """Return the pictures to show, and what the user should know about them."""
    count = 0 if batch is None else len(batch)
    shown = min(count, MOST_PICTURES)
    notes = [f"The model was shown only the first {shown} of {count} images."] if shown < count else []
    return tuple(encode_pictures([batch], shown)), notes
