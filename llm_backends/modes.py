"""The modes: one row for each way in which a model is reached, with all that sets it apart.

Every list, label, check and message about modes comes from these rows. A backend registered with
`registry.register` has its row from then on: its own, or a plain one.
"""

from __future__ import annotations

from dataclasses import dataclass

AUTO = "auto"
"""No mode, but the lack of one: the model's name and the settings decide."""
LITELLM = "litellm"
HF_DOWNLOAD = "hf_download"
HF_LOCAL = "hf_local"
GGUF = "gguf"
HOST_ENCODER = "host_encoder"
ENDPOINT = "openai_compatible"


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode by its `name` in ``LLM_MODE`` or one of its `aliases`; messages call it by its `label`.

    `in_process` says that it computes in the host's own process, `loads_weights` that it takes the settings
    for loading, `from_repository` that it may download, `in_folders` that its models are files or folders
    below the host's own. `takes_model` is False where it ignores a model's name, `answers_messages` where it
    is no language model: no plan counts it, and it has no vision, tools or cache. `stands_in` says that it
    writes where nothing is set up, `needs_wire` that only a node can hand it its model. `sees` is None where
    it depends on the model. `is_choice` lists the mode itself in the catalogue, `is_offered` among the modes
    to choose from; `group` and `group_label` are its models' there. `choice_label` is its text in a list of
    modes, `transports` those of the catalogue's models that may be chosen with it, empty for all.
    """

    name: str
    label: str = ""
    choice_label: str = ""
    aliases: tuple[str, ...] = ()
    in_process: bool = False
    loads_weights: bool = False
    from_repository: bool = False
    in_folders: bool = False
    takes_model: bool = True
    answers_messages: bool = True
    stands_in: bool = False
    needs_wire: bool = False
    free: bool = False
    sees: bool | None = None
    is_choice: bool = False
    is_offered: bool = True
    group: str = "mode"
    group_label: str = ""
    transports: tuple[str, ...] = ()

    @property
    def choice_text(self) -> str:
        """The mode's text in a list of modes."""
        return self.choice_label or self.label or self.name


AUTOMATIC = Mode(AUTO, choice_label="Automatic: by model id")
_TABLE = (
    Mode(LITELLM, "LiteLLM", "Provider or server", transports=(LITELLM, "direct", "endpoint")),
    Mode(
        HF_DOWNLOAD,
        "Local model",
        "Local model, downloaded once",
        in_process=True,
        loads_weights=True,
        from_repository=True,
        free=True,
        group="download",
        group_label="Download to this machine",
        transports=(HF_DOWNLOAD,),
    ),
    Mode(
        HF_LOCAL,
        "Local model",
        "Local model in a folder",
        in_process=True,
        loads_weights=True,
        in_folders=True,
        free=True,
        group="local",
        group_label="On this machine",
        transports=(HF_LOCAL,),
    ),
    Mode(
        GGUF,
        "GGUF",
        "GGUF file",
        in_process=True,
        from_repository=True,
        in_folders=True,
        free=True,
        group="gguf",
        group_label="GGUF files",
        transports=(GGUF,),
    ),
    Mode(
        HOST_ENCODER,
        "Text encoder",
        "The workflow's text encoder",
        aliases=("z_image",),
        in_process=True,
        takes_model=False,
        needs_wire=True,
        free=True,
    ),
    # Carries what `litellm` at an endpoint comes to, and is valid where somebody writes it.
    Mode(ENDPOINT, is_offered=False),
)
_rows = {row.name: row for row in _TABLE}


def add(row: Mode) -> None:
    """Add `row` to the modes, in the place of an earlier one of its name."""
    _rows[row.name] = row


def plain(name: str) -> Mode:
    """The row of a mode of which only the name is known."""
    return Mode(name, name, is_choice=True, group_label=name)


def of(name: str) -> Mode:
    """The row of the mode `name`; a plain one where there is none."""
    return _rows.get(name) or plain(name)


def rows() -> list[Mode]:
    """The modes registered by now, ours first."""
    return list(_rows.values())


def offered() -> list[Mode]:
    """The modes to choose from: `AUTOMATIC` and the offered ones among those registered (see
    `registry.offered`)."""
    return [AUTOMATIC, *(row for row in rows() if row.is_offered)]


def groups() -> tuple[str, ...]:
    """The groups of the catalogue that belong to modes."""
    return tuple(dict.fromkeys(row.group for row in (*rows(), plain("")) if row.group_label or not row.name))


def spelled(name: str) -> str:
    """The mode's own name for an alias, else `name` as it is."""
    return next((row.name for row in rows() if name in row.aliases), name)


def stand_in() -> str:
    """The mode that writes where nothing is set up, else `LITELLM`, which asks for a model."""
    return next((row.name for row in rows() if row.stands_in), LITELLM)
