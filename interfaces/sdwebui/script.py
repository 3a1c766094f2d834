"""Script as the host knows it: an accordion, and three moments of each generation."""

from __future__ import annotations

from typing import Any

import modules.scripts as scripts

from .arguments import TABS, TITLE


class QuillworkScript(scripts.Script):
    def title(self) -> str:
        return TITLE

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        """Build the controls in the order of `Arguments`. The host calls this several times."""
        from .controls import build
        from .infotext import FIELDS

        controls = build(self._tab(is_img2img), self.elem_id)
        self.infotext_fields = [(control, FIELDS[name]) for name, control in controls.items()]
        self.paste_field_names = list(FIELDS.values())
        return list(controls.values())

    def _tab(self, is_img2img: bool) -> str:
        """Return the tab that the controls are for: SD.Next has more than two, and says so in `parent`."""
        parent = getattr(self, "parent", None)
        return parent if parent in TABS else "img2img" if is_img2img else "txt2img"

    def before_process(self, p: Any, *args: Any) -> None:
        from .generation import prepare

        prepare(p, args)

    def process(self, p: Any, *args: Any) -> None:
        from .generation import apply

        apply(p)

    def before_process_batch(self, p: Any, *args: Any, **more: Any) -> None:
        from .generation import settle

        settle(p)
