"""Around one generation: what is written before the checkpoint loads, where it goes once the host has laid
out its prompts, and how a failure reaches the user.

Hosts swallow what a script's methods raise and generate on with the original prompt. So an error is left
where the host itself comes upon it right after, and where it does not look away: in the job's own fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from ...config.home import targets_folder
from ...llm_backends.errors import Cancelled, LLMError
from ...prompting import targets
from ...prompting.library import LibraryError
from ...prompting.template import TemplateError
from . import checkpoint, infotext
from .arguments import AUTO, Arguments, read
from .host import WebUiHost
from .images import Image, Texts, images_of, lay_out
from .lookup import fixed_seed, styling
from .options import default_target
from .wording import words_of
from .writing import Written, keep, write

_JOB = "quillwork_job"
PLOT = "quillwork_plot"
"""Where an XYZ plot notes what a cell is to have other than the controls say."""

NO_MODEL = (
    "Quillwork: no model is set up, the phrasebook wrote. Choose a model in the accordion or on the settings "
    "page, for example ollama/llama3.2."
)


class QuillworkError(Exception):
    """What ends a generation. The host shows it as `QuillworkError: …` and answers programs with
    `status_code`."""

    def __init__(self, sentence: str, status_code: int) -> None:
        super().__init__(sentence)
        self.detail, self.status_code = sentence, status_code

    def raised(self, *_: Any, **__: Any) -> NoReturn:
        raise self from None


@dataclass(frozen=True, slots=True)
class _Job:
    before: Sequence[Texts]
    after: Sequence[Texts]


def prepare(p: Any, args: Sequence[Any]) -> None:
    """For ``before_process``: all that a model writes for the job `p`. Disabled, it touches nothing."""
    if hasattr(p, _JOB):  # some scripts send one and the same object through again and again
        delattr(p, _JOB)
        infotext.clear(p.extra_generation_params)
    try:
        arguments = _arguments(p, args)
        if arguments.enabled:
            _write(p, arguments)
    except Cancelled:
        pass  # the host, too, has seen that the user said stop
    except (LLMError, TemplateError, LibraryError, ValueError) as error:
        _stop(p, words_of(error), getattr(error, "http_status", 400))


def _arguments(p: Any, args: Sequence[Any]) -> Arguments:
    plot = getattr(p, PLOT, None)
    return replace(read(args), enabled=True, **plot) if plot else read(args)


def _write(p: Any, arguments: Arguments) -> None:
    images = images_of(p, fixed_seed)
    target = _target(p, arguments.target)
    written = write(images, arguments, target, WebUiHost("web UI"))
    _tell(p, arguments, written)
    p.extra_generation_params.update(
        infotext.describe(
            images,
            written.texts,
            arguments,
            target=target.id,
            mode=written.mode,
            model=written.model,
            seeds=written.seeds,
            variations=written.variations,
            error=infotext.without_places(" ".join(dict.fromkeys(written.errors)), written.place),
            left=written.left,
        )
    )
    setattr(p, _JOB, _Job([image.texts for image in images], written.texts))


def _target(p: Any, name: str) -> targets.Target:
    """The chosen target: by the control, by the settings page, by the checkpoint."""
    name = name if name != AUTO else default_target()
    return checkpoint.target_of(p) if name == AUTO else targets.load(name, targets_folder())


def _tell(p: Any, arguments: Arguments, written: Written) -> None:
    """What the user should know, under the picture where the host has a place for it."""
    comment = getattr(p, "comment", None)
    if comment is None:
        return
    for sentence in dict.fromkeys([*written.errors, *written.warnings]):
        comment(f"Quillwork: {sentence}")
    if written.mode == "phrasebook" != arguments.mode and not written.errors:
        comment(NO_MODEL)


def apply(p: Any) -> None:
    """For ``process``: put what was written for the job `p` where the host has laid out its prompts."""
    job = getattr(p, _JOB, None)
    if job is not None:
        lay_out(p, job.before, job.after, *styling(p))


def _stop(p: Any, sentence: str, status: int) -> None:
    """Have the host end the job `p` with `sentence`."""
    error = QuillworkError(sentence, status)
    p.override_settings = _Unreadable(error)  # every host reads it next, before it loads a checkpoint
    p.init = error.raised  # and calls this before it samples


class _Unreadable(dict[str, Any]):
    """Settings that raise when somebody looks at them."""

    def __init__(self, error: QuillworkError) -> None:
        super().__init__()
        for name in ("keys", "items", "copy", "get", "pop"):
            setattr(self, name, error.raised)


def restore(_text: str, params: dict[str, Any]) -> None:
    """For ``on_infotext_pasted``: the user's own prompt comes back into `params`, and what was written for it
    is kept, so that Generate makes the same image."""
    had = Texts(*(str(params.get(name) or "") for name in ("Prompt", "Negative prompt", "Hires prompt")))
    if not infotext.restore_prompts(params) or infotext.ERROR in params:
        return
    own = Texts(*(str(params.get(name) or "") for name in ("Prompt", "Negative prompt", "Hires prompt")))
    arguments = infotext.arguments_in(params)
    try:
        image = Image(int(params["Seed"]), own)
        target = targets.load(arguments.target, targets_folder())
        keep(image, had, arguments, target, str(params[infotext.MODE]))
    except (TypeError, ValueError, KeyError, LLMError):
        return  # it will be asked for anew
