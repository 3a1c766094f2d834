"""Traits that our parts of the page share: their notes, and how they stay out of the host's files."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..http.messages import HttpRequest
from ..http.routing import Exchange
from .host.http import WebUiHttpHost
from .host.lookup import shared
from .wording import sentence_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

# For every event: no overlay over the page, no entry in the host's list of endpoints.
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
# The same for events that take a moment: not behind a generation in gradio's own queue.
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}


def unsaved(*components: Any) -> None:
    """Keep `components` out of ``ui-config.json``, where hosts keep what stands in labelled fields."""
    for component in components:
        component.do_not_save_to_config = True


def note(*sentences: str) -> str:
    """Return `sentences` as HTML, a line each; without empty ones and repetitions."""
    return "<br>".join(map(escape, dict.fromkeys(filter(None, sentences))))


def named(label: str, *others: str) -> str:
    """Return `label` with the other names that it has: a drop-down is searched by what it shows."""
    more = ", ".join(name for name in dict.fromkeys(others) if name.lower() != label.lower())
    return f"{label} ({more})" if more else label


def fault(sentence: str) -> str:
    """Return an error sentence as HTML in the host's own colour for errors."""
    return f"<span class='error quillwork-error' role='alert'>{escape(sentence)}</span>"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return an HTML table of texts."""
    lines = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    return f"<table class='quillwork-table'><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"


def exchange_of(request: Any, path: str, body: Mapping[str, Any]) -> Exchange:
    """Return a button's event as the request that a program would have made of `path` with that `body`."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = HttpRequest("POST", path, headers, peer=request.client.host if request.client else "")
    return Exchange(
        asked, WebUiHttpHost(getattr(shared(), "cmd_opts", None), getattr(shared(), "demo", None)), body
    )


def stream(
    begin: Any,
    stop: Any,
    steps: Callable[..., AsyncGenerator[Any, None]],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    comes_back: Any = None,
) -> None:
    """Connect the button ``begin`` with ``steps``. It, or ``comes_back``, comes back in place of ``stop``.

    Gradio drops a click on a button whose last event it has not closed, which is later than the last step.
    """
    import gradio as gr

    begun = begin.click(fn=streamed(steps), inputs=inputs, outputs=outputs, **QUIET, **together())
    begun.then(
        fn=lambda: (gr.update(visible=True), gr.update(visible=False)),
        inputs=[],
        outputs=[comes_back or begin, stop],
        **AT_ONCE,
    )


def streamed(steps: Callable[..., AsyncGenerator[Any, None]]) -> Callable[..., Any]:
    """Return an event's function that shows step after step.

    Where the host has no queue it shows the last step alone, for without one gradio 3 has no steps.
    """

    async def each(*values: Any) -> AsyncGenerator[Any, None]:
        import gradio as gr

        step: Sequence[Any] = ()
        async with contextlib.aclosing(steps(*values)) as running:
            async for step in running:
                yield step
        # Gradio sends the last step a second time, over what a user may have changed by then.
        yield tuple(gr.update() for _ in step)

    async def last(*values: Any) -> Any:
        return [step async for step in steps(*values)][-1]

    return each if _has_queue() else last


def together() -> dict[str, Any]:
    """Return what lets an event run for several browsers at once; from Gradio 4 on they would take turns."""
    import gradio as gr

    return {"concurrency_limit": None} if int(gr.__version__.split(".")[0]) >= 4 else {}


def steps_of(steps: Callable[..., AsyncGenerator[Any, None]]) -> Callable[..., Any] | None:
    """Return an event's function as `streamed` does, None where the host has no queue to show steps with."""
    return streamed(steps) if _has_queue() else None


def _has_queue() -> bool:
    options = getattr(shared(), "cmd_opts", None)
    return not any(getattr(options, name, False) for name in ("no_gradio_queue", "disable_queue"))


def guarded(outputs: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate an event's function with so many outputs, the last of which is a status.

    An error that it raises is shown there, and everything else on the page stays.
    """

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            import gradio as gr

            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 (shown on the page)
                message = fault(sentence_of(error))
                return message if outputs == 1 else (*[gr.update()] * (outputs - 1), message)

        return call

    return around
