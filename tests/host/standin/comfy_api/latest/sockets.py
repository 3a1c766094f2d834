"""Inputs and outputs. Each kind of input has a table of its arguments, in ComfyUI's order: one that is not
in the table is a TypeError here as it is there."""

from __future__ import annotations

from copy import copy
from enum import Enum
from typing import Any, NamedTuple


class FolderType(str, Enum):
    input = "input"
    output = "output"
    temp = "temp"


class UploadType(str, Enum):
    image = "image_upload"
    audio = "audio_upload"
    video = "video_upload"
    model = "file_upload"


class NumberDisplay(str, Enum):
    number = "number"
    slider = "slider"
    gradient_slider = "gradientslider"


class ControlAfterGenerate(str, Enum):
    fixed = "fixed"
    increment = "increment"
    decrement = "decrement"
    randomize = "randomize"


class Argument(NamedTuple):
    """One argument of an input: its name in Python, and the one that the browser gets (None: not sent)."""

    name: str
    sent: str | None
    default: Any = None


def _same(*names: str) -> tuple[Argument, ...]:
    return tuple(Argument(name, name) for name in names)


_HEAD = (*_same("display_name"), Argument("optional", None, False), *_same("tooltip", "lazy"))
_TAIL = (Argument("extra_dict", None), Argument("raw_link", "rawLink"), Argument("advanced", "advanced"))
_SOCKETLESS = Argument("socketless", "socketless")
_FORCED = Argument("force_input", "forceInput")
_DEFAULT = Argument("default", "default")
_CONTROL = Argument("control_after_generate", "control_after_generate")
_DISPLAY = Argument("display_mode", "display")
_STRING = (Argument("multiline", "multiline", False), *_same("placeholder"), _DEFAULT)
_STRING = (*_STRING, Argument("dynamic_prompts", "dynamicPrompts"))


class RemoteOptions:
    def __init__(
        self,
        route: str,
        refresh_button: bool,
        control_after_refresh: str = "first",
        timeout: int | None = None,
        max_retries: int | None = None,
        refresh: int | None = None,
    ) -> None:
        found = {name: value for name, value in locals().items() if name != "self"}
        self._sent = {name: value for name, value in found.items() if value is not None}

    def as_dict(self) -> dict[str, Any]:
        return dict(self._sent)


class Input:
    """An input without a widget."""

    arguments: tuple[Argument, ...] = (*_HEAD, *_TAIL)
    io_type = ""

    def __init__(self, id: str, *values: Any, **named: Any) -> None:
        kind = f"{self.io_type or 'io'} Input"
        if len(values) > len(self.arguments):
            raise TypeError(f"{kind} '{id}': {len(values)} positional arguments, {len(self.arguments)} known")
        given = dict(zip((argument.name for argument in self.arguments), values, strict=False))
        twice = given.keys() & named.keys()
        unknown = named.keys() - {argument.name for argument in self.arguments}
        if unknown or twice:
            raise TypeError(
                f"{kind} '{id}' got an unexpected keyword argument {sorted(unknown | twice)[0]!r}"
            )
        given |= named
        self.id = id
        for argument in self.arguments:
            setattr(self, argument.name, given.get(argument.name, argument.default))
        if self.extra_dict is None:
            self.extra_dict = {}

    # Set by the tables above.
    optional: bool
    extra_dict: dict[str, Any] | None

    def get_io_type(self) -> str:
        return self.io_type

    def as_dict(self) -> dict[str, Any]:
        """The input's description for the browser."""
        sent = {a.sent: getattr(self, a.name) for a in self.arguments if a.sent is not None}
        sent |= self.extra_dict or {}
        return {name: value for name, value in sent.items() if value is not None}


class WidgetInput(Input):
    arguments = (*_HEAD, _DEFAULT, _SOCKETLESS, Argument("widget_type", "widgetType"), _FORCED, *_TAIL)


class Output:
    """An output; `is_output_list` hands its value on as a list."""

    io_type = ""

    def __init__(
        self,
        id: str | None = None,
        display_name: str | None = None,
        tooltip: str | None = None,
        is_output_list: bool = False,
    ) -> None:
        self.id = id
        self.display_name = display_name or id
        self.tooltip = tooltip
        self.is_output_list = is_output_list


class ComfyType:
    """A type of link. Made by `_kind`, with `Input` and `Output` classes of its own."""

    Type: Any = Any
    io_type = ""
    Input: type[Any] = Input
    Output: type[Any] = Output


def _kind(
    name: str, io_type: str, python: Any = Any, base: type[Input] = Input, middle: tuple[Argument, ...] = (),
    last: tuple[Argument, ...] = _TAIL,
) -> type[ComfyType]:  # fmt: skip
    arguments = (*_HEAD, *middle, *last) if middle else base.arguments
    entering = type(f"{name}Input", (base,), {"io_type": io_type, "arguments": arguments, "Type": python})
    leaving = type(f"{name}Output", (Output,), {"io_type": io_type, "Type": python})
    return type(
        name, (ComfyType,), {"io_type": io_type, "Type": python, "Input": entering, "Output": leaving}
    )


def Custom(io_type: str) -> type[ComfyType]:
    """A type of a pack's own."""
    return _kind("Custom", io_type)


_NUMBER = (_DEFAULT, *_same("min", "max", "step"))
_WIDGET = (_SOCKETLESS, _FORCED)
Boolean = _kind(
    "Boolean", "BOOLEAN", bool, WidgetInput, (_DEFAULT, *_same("label_on", "label_off"), *_WIDGET)
)
Int = _kind("Int", "INT", int, WidgetInput, (*_NUMBER, _CONTROL, _DISPLAY, *_WIDGET))
Float = _kind(
    "Float",
    "FLOAT",
    float,
    WidgetInput,
    (*_NUMBER, *_same("round"), _DISPLAY, *_same("gradient_stops"), *_WIDGET),
)
String = _kind("String", "STRING", str, WidgetInput, (*_STRING, *_WIDGET))
Image = _kind("Image", "IMAGE")
Mask = _kind("Mask", "MASK")
Latent = _kind("Latent", "LATENT")
Conditioning = _kind("Conditioning", "CONDITIONING")
Clip = _kind("Clip", "CLIP")
ClipVision = _kind("ClipVision", "CLIP_VISION")
Model = _kind("Model", "MODEL")
Vae = _kind("Vae", "VAE")
Audio = _kind("Audio", "AUDIO")
Video = _kind("Video", "VIDEO")
AnyType = _kind("AnyType", "*")


class _ComboInput(WidgetInput):
    io_type = "COMBO"
    arguments = (
        Argument("options", "options"),
        *_HEAD,
        _DEFAULT,
        _CONTROL,
        *(Argument(name, None) for name in ("upload", "image_folder", "remote")),
        _SOCKETLESS,
        *_TAIL,
    )

    options: Any
    default: Any
    upload: UploadType | None
    image_folder: FolderType | None
    remote: RemoteOptions | None

    def __init__(self, id: str, *values: Any, **named: Any) -> None:
        super().__init__(id, *values, **named)
        if isinstance(self.options, type) and issubclass(self.options, Enum):
            self.options = [member.value for member in self.options]
        if isinstance(self.default, Enum):
            self.default = self.default.value

    def as_dict(self) -> dict[str, Any]:
        sent = super().as_dict() | {"multiselect": False}
        if self.upload is not None:
            sent[self.upload.value] = True
        if self.image_folder is not None:
            sent["image_folder"] = self.image_folder.value
        if self.remote is not None:
            sent["remote"] = self.remote.as_dict()
        return sent


class Combo(ComfyType):
    Type = str
    io_type = "COMBO"
    Input = _ComboInput

    class Output(Output):
        io_type = "COMBO"

        def __init__(
            self,
            id: str | None = None,
            display_name: str | None = None,
            options: list[str] | None = None,
            tooltip: str | None = None,
            is_output_list: bool = False,
        ) -> None:
            super().__init__(id, display_name, tooltip, is_output_list)
            self.options = options or []


class MultiType:
    """An input that takes several types of link."""

    class Input(Input):
        def __init__(self, id: str | Input, types: list[type[ComfyType]], **named: Any) -> None:
            self.widget = id if isinstance(id, Input) else None
            super().__init__(self.widget.id if self.widget else id, **named)
            first = [self.widget.get_io_type()] if self.widget else []
            self.io_types = list(dict.fromkeys(first + [kind.io_type for kind in types]))

        def get_io_type(self) -> str:
            return ",".join(self.io_types)

        def as_dict(self) -> dict[str, Any]:
            return (self.widget.as_dict() if self.widget else {}) | super().as_dict()


class MatchType(ComfyType):
    """A type taken from the wire: inputs and outputs of one template all get the type that is wired in."""

    io_type = "COMFY_MATCHTYPE_V3"

    class Template:
        def __init__(self, template_id: str, allowed_types: Any = AnyType) -> None:
            self.template_id = template_id
            self.allowed_types = allowed_types if isinstance(allowed_types, list | tuple) else [allowed_types]

        def as_dict(self) -> dict[str, str]:
            allowed = ",".join(kind.io_type for kind in self.allowed_types)
            return {"template_id": self.template_id, "allowed_types": allowed}

    class Input(Input):
        io_type = "COMFY_MATCHTYPE_V3"
        arguments = (Argument("template", None), *Input.arguments)
        template: MatchType.Template

        def as_dict(self) -> dict[str, Any]:
            return super().as_dict() | {"template": self.template.as_dict()}

    class Output(Output):
        io_type = "COMFY_MATCHTYPE_V3"

        def __init__(
            self,
            template: MatchType.Template,
            id: str | None = None,
            display_name: str | None = None,
            tooltip: str | None = None,
            is_output_list: bool = False,
        ) -> None:
            super().__init__(id, display_name or (None if id else "MATCHTYPE"), tooltip, is_output_list)
            self.template = template


class Autogrow(ComfyType):
    """An input that is a row of sockets: where the last one is wired, another one appears."""

    Type = dict[str, Any]
    io_type = "COMFY_AUTOGROW_V3"

    class TemplatePrefix:
        """A template of sockets of the kind of `input`, named by `prefix` and a number from 0 on."""

        def __init__(self, input: Input, prefix: str, min: int = 1, max: int = 10) -> None:
            self.input = copy(input)
            if isinstance(self.input, WidgetInput):
                self.input.force_input = True
            self.prefix, self.min, self.max = prefix, min, max
            self.names = [f"{prefix}{number}" for number in range(max)]

        def as_dict(self) -> dict[str, Any]:
            group = "optional" if self.input.optional else "required"
            inner: dict[str, Any] = {"required": {}}
            inner.setdefault(group, {})[self.input.id] = (self.input.get_io_type(), self.input.as_dict())
            return {"input": inner, "prefix": self.prefix, "min": self.min, "max": self.max}

    class Input(Input):
        io_type = "COMFY_AUTOGROW_V3"
        arguments = (Argument("template", None), *_HEAD, Argument("extra_dict", None))
        template: Autogrow.TemplatePrefix

        def as_dict(self) -> dict[str, Any]:
            return super().as_dict() | {"template": self.template.as_dict()}
