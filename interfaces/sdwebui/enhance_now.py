"""Enhance now button: the text streams into the host's own prompt box, to be reviewed or undone.

It goes the way of all buttons of the page, through gradio, so that it works wherever the page does: behind
a login, a tunnel or a proxy, and for whoever may generate.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

from ...config.settings.home import targets_folder
from ...llm_backends import modes
from ...prompting import targets
from .arguments import AUTO, FOLLOW, TABS, Arguments, read
from .button_call import ButtonCall, Session
from .generation import NO_MODEL
from .host import checkpoint
from .host.lookup import fixed_seed
from .host.settings import default_target
from .images import JobImage, Texts
from .page_parts import AT_ONCE, fault, note, stream, unsaved
from .wording import sentence_of
from .writing import Written, write

_MOST_STEPS_BACK = 50
_BOXES = ("prompt", "neg_prompt")
_SEED = "seed"
# The name of the model that a video is made with: before the first video the loaded model says nothing.
_MODEL = "model"
STILL_ON = "Enhance when generating is still on: Generate will enhance this once more."

Box = Any
_seen: dict[str, tuple[Any, Any]] = {}
_waiting: dict[str, tuple[Any, dict[str, Any]]] = {}


class Steps(Session):
    """Session that also holds the texts before each call."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[tuple[str, str]] = []

    def remember(self, prompt: str, negative: str) -> None:
        self.before = [*self.before, (prompt, negative)][-_MOST_STEPS_BACK:]


def build(tab: str, controls: Mapping[str, Any]) -> None:
    """Put the buttons into a tab's accordion; `controls` are its other ones, by the names of `Arguments`."""
    import gradio as gr

    with gr.Row():
        buttons = {
            "begin": gr.Button("Enhance now", elem_id=f"quillwork_{tab}_enhance"),
            "stop": gr.Button("Stop (Esc)", elem_id=f"quillwork_{tab}_stop", visible=False),
            "undo": gr.Button("Undo", elem_id=f"quillwork_{tab}_undo", interactive=False),
        }
    status = gr.HTML("", elem_id=f"quillwork_{tab}_status")
    unsaved(*buttons.values(), status)
    _waiting[tab] = (_page(), {**controls, **buttons, "status": status, "session": gr.State(Steps())})
    _connect(tab)


def see(component: Any, **more: Any) -> None:
    """Note the host's prompt boxes, seeds and video models as they are made, for ``on_after_component``."""
    name = str(getattr(component, "elem_id", None))
    tab, _, rest = name.partition("_")
    if tab in TABS and rest in (*_BOXES, _SEED, _MODEL):
        _seen[name] = (_page(), component)
        _connect(tab)


def prompt_box(tab: str) -> Any:
    """Return the host's prompt box of a tab, None where it has not been seen."""
    return _seen.get(f"{tab}_prompt", (None, None))[1]


def _page() -> Any:
    """Return the page that is being built. Hosts build parts of it a second time and throw them away."""
    from gradio.context import Context

    return Context.root_block


def _found(tab: str, name: str, page: Any) -> Any:
    seen_on, component = _seen.get(f"{tab}_{name}", (None, None))
    return component if seen_on is page else None


def _connect(tab: str) -> None:
    """Make the buttons work once their tab's prompt boxes are there, which a host may make later.

    An accordion that is not shown yet waits for the seed and the model too, and is shown then.
    """
    page, controls = _waiting.get(tab, (None, {}))
    accordion = controls.get("accordion")
    boxes = [_found(tab, name, page) for name in _BOXES]
    more = {name: found for name in (_SEED, _MODEL) if (found := _found(tab, name, page)) is not None}
    if page is None or page is not _page() or None in boxes or (accordion is not None and len(more) < 2):
        return
    del _waiting[tab]
    if accordion is not None:
        accordion.visible = True
    names = [name for name in Arguments.__dataclass_fields__ if name in controls]
    given = [controls[name] for name in names]

    async def enhance(session: Steps, prompt: str, negative: str, *values: Any) -> AsyncGenerator[Any, None]:
        chosen = dict(zip(names, values, strict=False))
        hosts = dict(zip(more, values[len(names) :], strict=False))
        async for step in _enhance(session, prompt, negative, chosen, hosts):
            yield step

    shown = [*boxes, controls["status"], controls["begin"], controls["stop"], controls["undo"]]
    stream(
        controls["begin"],
        controls["stop"],
        enhance,
        inputs=[controls["session"], *boxes, *given, *more.values()],
        outputs=shown,
    )
    controls["stop"].click(fn=Steps.stop, inputs=[controls["session"]], outputs=[], **AT_ONCE)
    controls["undo"].click(
        fn=_undo, inputs=[controls["session"]], outputs=[*boxes, controls["undo"]], **AT_ONCE
    )


async def _enhance(
    session: Steps, prompt: str, negative: str, chosen: dict[str, Any], hosts: Mapping[str, Any]
) -> AsyncGenerator[tuple[Any, ...], None]:
    """Yield the contents of boxes, status and buttons, step by step.

    `hosts` are the values of the host's own fields.
    """
    import gradio as gr

    same = gr.update()
    call = session.call = ButtonCall(lambda desk: _write(prompt, negative, chosen, hosts, desk))
    try:
        busy = (gr.update(visible=False), gr.update(visible=True))
        yield same, same, "Quillwork is writing …", *busy, same
        async for text, notice in call.follow():
            yield text or prompt, same, note(notice or "Quillwork is writing …"), same, same, same
        written = call.result()
    except Exception as error:  # noqa: BLE001 (shown on the page, where nothing else may arrive)
        yield prompt, same, fault(sentence_of(error)), same, same, _undo_button(session)
        return
    finally:
        call.stop()
        session.call = None
    texts = written.texts[0]
    if (texts.prompt, texts.negative) != (prompt, negative):
        session.remember(prompt, negative)
    yield texts.prompt, texts.negative, _status(written, chosen), same, same, _undo_button(session)


def _write(
    prompt: str, negative: str, chosen: dict[str, Any], hosts: Mapping[str, Any], desk: ButtonCall[Any]
) -> Written:
    arguments = read([chosen])
    parts = tuple(part for part in arguments.parts if part != "hires") or ("positive",)
    arguments = replace(arguments, parts=parts, variations=1, per_image=False, variables=False)
    if arguments.seed == FOLLOW:
        arguments = replace(arguments, seed=fixed_seed(hosts.get(_SEED, -1)))
    image = JobImage(arguments.seed, Texts(prompt, negative))
    return write([image], arguments, target_named(arguments.target, hosts.get(_MODEL)), desk)


def target_named(name: str, video_model: str | None = None) -> targets.Target:
    """Return the target of a control.

    For ``auto`` that is the video model's, the settings page's, or the checkpoint's.
    """
    if name == AUTO and (known := checkpoint.video_target(video_model or "")):
        name = known
    name = name if name != AUTO else default_target()
    return checkpoint.target_of(None) if name == AUTO else targets.load(name, targets_folder())


def _status(written: Written, chosen: Mapping[str, Any]) -> str:
    lines = [fault(error) for error in dict.fromkeys(written.errors)]
    remarks = list(written.warnings)
    if not lines:
        who = written.model or written.mode
        remarks.insert(0, NO_MODEL if modes.of(written.mode).stands_in else f"Written by {who}.")
    if chosen.get("enabled"):
        remarks.append(STILL_ON)
    return "<br>".join(filter(None, [*lines, note(*remarks)]))


def _undo(session: Steps) -> tuple[Any, Any, Any]:
    import gradio as gr

    if not session.before:
        return gr.update(), gr.update(), _undo_button(session)
    *session.before, (prompt, negative) = session.before
    return prompt, negative, _undo_button(session)


def _undo_button(session: Steps) -> Any:
    import gradio as gr

    return gr.update(interactive=bool(session.before))
