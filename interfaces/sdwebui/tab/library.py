"""Library in the tab: the variables and their values, to be read, edited and deleted."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ....config.opening import library_folders
from ...http.routes.library import listed, open_library, shown, written
from ..page_parts import AT_ONCE, guarded, note
from .variables import Parts

# A text field with more lines than this brings a browser to its knees.
_MOST_EDITED = 5000


def build(page: Any, variables: Parts) -> None:
    name = gr.Dropdown(
        label="Library: choose a variable, or enter a new name",
        choices=_names(),
        value=None,
        allow_custom_value=True,
        elem_id="quillwork_library",
    )
    remark = gr.HTML("", elem_id="quillwork_library_remark")
    description = gr.Textbox(label="Description", lines=1, elem_id="quillwork_library_description")
    values = gr.Textbox(label="Values, one per line", lines=12, elem_id="quillwork_library_values")
    version = gr.State("")
    with gr.Row():
        save = gr.Button("Save", elem_id="quillwork_library_save")
        more = gr.Button("Generate more", elem_id="quillwork_library_more")
        delete = gr.Button("Delete", elem_id="quillwork_library_delete")
        really = gr.Button(
            "Yes, delete it", variant="stop", visible=False, elem_id="quillwork_library_really"
        )
        spare = gr.Button("Keep it", visible=False, elem_id="quillwork_library_spare")
        refresh = gr.Button("Refresh", elem_id="quillwork_library_refresh")
    status = gr.HTML("", elem_id="quillwork_library_status")
    place = gr.HTML(_place(), elem_id="quillwork_library_place")
    fields = [description, values, version]
    asked = [delete, really, spare]

    page.load(fn=_look_again, inputs=[], outputs=[name, place, status], **AT_ONCE)
    refresh.click(fn=_look_again, inputs=[], outputs=[name, place, status], **AT_ONCE)
    variables.added.then(fn=_look_again, inputs=[], outputs=[name, place, status], **AT_ONCE)
    name.change(fn=_open, inputs=[name], outputs=[*fields, save, remark], **AT_ONCE)
    save.click(
        fn=_save,
        inputs=[name, description, values, version],
        outputs=[name, version, status],
        **AT_ONCE,
    )
    more.click(fn=lambda chosen: chosen or "", inputs=[name], outputs=[variables.name], **AT_ONCE)
    delete.click(fn=_ask, inputs=[name], outputs=[*asked, status], **AT_ONCE)
    spare.click(fn=lambda: _asking(False), inputs=[], outputs=asked, **AT_ONCE)
    really.click(fn=_delete, inputs=[name], outputs=[*asked, name, *fields, status], **AT_ONCE)


def _names() -> list[str]:
    return [str(row["name"]) for row in listed("")["variables"]]


def _place() -> str:
    own, others = library_folders()
    read = f" Also read: {', '.join(map(str, others))}." if others else ""
    return note(f"Your variables are in {own}, one text file each.{read}")


@guarded(3)
def _look_again() -> tuple[Any, Any, str]:
    found = listed("")
    names = [row["name"] for row in found["variables"]]
    return gr.update(choices=names), _place(), note(*found["problems"])


@guarded(5)
def _open(name: str | None) -> tuple[Any, ...]:
    library = open_library()
    if not name or not library.exists(name):
        return gr.update(), gr.update(), "", gr.update(interactive=True), ""
    variable = shown(name, everything=len(library.values(name)) <= _MOST_EDITED)
    editable = not (variable["read_only"] or variable["truncated"])
    remark = (
        "This variable is in a read-only folder."
        if variable["read_only"]
        else f"Only the first {len(variable['values'])} are shown. Edit its file instead."
        if variable["truncated"]
        else ""
    )
    return (
        variable["description"],
        "\n".join(variable["values"]),
        variable["version"],
        gr.update(interactive=editable),
        note(f"{variable['count']} values.", remark),
    )


@guarded(3)
def _save(name: str | None, description: str, values: str, version: str) -> tuple[Any, ...]:
    lines = [line.strip() for line in values.splitlines() if line.strip()]
    saved = written((name or "").strip(), {"values": lines, "description": description, "version": version})
    status = note(f"Saved {saved['count']} values of __{saved['name']}__.")
    return gr.update(choices=_names(), value=saved["name"]), saved["version"], status


def _asking(asks: bool) -> tuple[Any, Any, Any]:
    return gr.update(visible=not asks), gr.update(visible=asks), gr.update(visible=asks)


@guarded(4)
def _ask(name: str | None) -> tuple[Any, ...]:
    library = open_library()
    count = len(library.values(name or ""))
    return *_asking(True), note(f"Delete __{name}__ and its {count} values?")


@guarded(8)
def _delete(name: str | None) -> tuple[Any, ...]:
    open_library().delete(name or "")
    return *_asking(False), gr.update(choices=_names(), value=None), "", "", "", note(f"{name} was deleted.")
