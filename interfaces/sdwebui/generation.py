"""Steps around one generation: writing before the checkpoint loads, placing the texts, reporting failures.

The texts are placed once the host has laid out its prompts. Hosts swallow what a script's methods raise and
generate on with the original prompt. So an error is left where the host itself comes upon it right after,
and where it does not look away: in the job's own fields.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, NoReturn

from ...config.opening import no_model_notice
from ...config.settings.home import targets_folder
from ...llm_backends import modes
from ...llm_backends.errors import Cancelled, LLMError, MissingKey, NotConfigured, ProviderFailed
from ...prompting import targets
from ...prompting.templates.library import LibraryError
from ...prompting.templates.resolve import TemplateError
from . import infotext
from .arguments import AUTO, Arguments, read
from .host import checkpoint
from .host.lookup import fixed_seed, shared, styling
from .host.neighbours import beside, give_back
from .host.port import WebUiHost
from .host.settings import default_target
from .images import JobImage, Texts, columns, images_of, lay_out, shorten
from .wording import sentence_of, words_of
from .writing import Written, how_many, keep, write

_JOB = "quillwork_job"
_SETUP = "setup_prompts"
PLOT = "quillwork_plot"
"""Where an XYZ plot notes what a cell is to have other than the controls say."""

NO_MODEL = no_model_notice("in the Quillwork accordion or on the settings page", "Quillwork")


class QuillworkError(Exception):
    """Error that ends a generation.

    The host shows it as `QuillworkError: …` and answers programs with `status_code`.
    """

    def __init__(self, sentence: str, status_code: int) -> None:
        super().__init__(sentence)
        self.detail, self.status_code = sentence, status_code

    def raised(self, *_: Any, **__: Any) -> NoReturn:
        _end_for_programs()
        raise self from None


def _end_for_programs() -> None:
    """End the job that a program has begun.

    SD.Next's API leaves a job that raises open, and would report it as running until the next one. Other
    hosts do not know `api`.
    """
    state: Any = getattr(shared(), "state", None)
    if getattr(state, "api", None) is True:
        with contextlib.suppress(Exception):  # the sentence is worth more
            state.end(state.id, api=False)


@dataclass(slots=True)
class _Job:
    """The images' texts before and after, and the user's own prompt as the host had it.

    `laid_out` is what stood in the host's lists when the texts had been put there, `most` the number of
    images asked for.
    """

    before: Sequence[Texts]
    after: Sequence[Texts]
    prompt: Any
    most: int | None
    laid_out: dict[str, list[str]] = field(default_factory=dict)
    is_settled: bool = False


def prepare(p: Any, args: Sequence[Any]) -> None:
    """Have a model write everything for the job `p`, for ``before_process``. Disabled, it touches nothing."""
    if hasattr(p, _JOB):  # some scripts send the same object through repeatedly
        delattr(p, _JOB)
        vars(p).pop(_SETUP, None)
        infotext.clear(p.extra_generation_params)
    try:
        arguments = _arguments(p, args)
        if arguments.enabled or arguments.variables_alone:
            _write(p, arguments)
    except Cancelled:
        _interrupt(p)
    except (LLMError, TemplateError, LibraryError, ValueError) as error:
        _stop(p, words_of(error), _status_of(error))
    except Exception as error:  # noqa: BLE001 - the host would swallow it, and take the bare prompt
        _stop(p, sentence_of(error), 500)


def _status_of(error: Exception) -> int:
    """Return the status for programs.

    401 is the host's own, for its login: a provider's key is another matter.
    """
    if isinstance(error, MissingKey):
        return NotConfigured.http_status
    status = int(getattr(error, "http_status", 400))
    return ProviderFailed.http_status if status == 401 else status


def _arguments(p: Any, args: Sequence[Any]) -> Arguments:
    plot = getattr(p, PLOT, None)
    return replace(read(args), enabled=True, **plot) if plot else read(args)


def _write(p: Any, arguments: Arguments) -> None:
    wanted = arguments if arguments.enabled else replace(arguments, parts=(), variables=True)
    neighbour = beside(p)
    if neighbour is not None and neighbour.wants_all():  # it makes its own number of images from one text
        if not arguments.enabled:
            return
        wanted = replace(wanted, variables=False, variations=1, per_image=False, count=0)
    desk = WebUiHost("Generation")
    images = _as_many(p, images_of(p, fixed_seed), wanted, desk)
    target = _target(p, arguments.target)
    written = write(images, wanted, target, desk)
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
    most = len(images) if wanted.count else None
    setattr(p, _JOB, _Job([image.texts for image in images], written.texts, p.prompt, most))
    _apply_early(p)


def _as_many(p: Any, images: Sequence[JobImage], arguments: Arguments, desk: WebUiHost) -> Sequence[JobImage]:
    """Return as many images as the `arguments` ask for, and give the job `p` the batches that they take."""
    if isinstance(p.prompt, list):
        return images
    try:
        count = how_many(images, arguments, desk)
    except (LLMError, TemplateError, LibraryError):
        if arguments.on_error == "raise":
            raise
        return images  # the error is reported when the texts are written
    if not count:
        return images
    p.batch_size = min(p.batch_size, count)
    p.n_iter = -(-count // p.batch_size)
    return images_of(p, fixed_seed)[:count]


def _target(p: Any, name: str) -> targets.Target:
    """Return the chosen target: by the control, by the settings page, by the checkpoint."""
    name = name if name != AUTO else default_target()
    return checkpoint.target_of(p) if name == AUTO else targets.load(name, targets_folder())


def _tell(p: Any, arguments: Arguments, written: Written) -> None:
    """Report what the user should know under the picture, where the host has a place for it."""
    comment = getattr(p, "comment", None)
    if comment is None:
        return
    for sentence in dict.fromkeys(written.errors):
        comment(f"{infotext.ERROR}: {sentence}")  # our script of the page knows it by that
    for sentence in dict.fromkeys(written.warnings):
        comment(f"Quillwork: {sentence}")
    if modes.of(written.mode).stands_in and written.mode != arguments.mode and not written.errors:
        comment(NO_MODEL)


def _apply_early(p: Any) -> None:
    """Have `apply` done as soon as the host has laid out the prompts of the job `p`.

    Other scripts then find the same texts, whatever their order. A host without that step has `apply` done in
    our own turn.
    """
    own = getattr(p, _SETUP, None)
    if own is None:
        return

    def laid_out() -> None:
        vars(p).pop(_SETUP, None)
        own()
        apply(p)

    setattr(p, _SETUP, laid_out)


def apply(p: Any) -> None:
    """Put what was written for the job `p` where the host has laid out its prompts, for ``process``."""
    job = getattr(p, _JOB, None)
    if job is not None and not job.laid_out:
        shorten(p, job.most)
        lay_out(p, job.before, job.after, styling(p))
        job.laid_out = columns(p)


def settle(p: Any) -> None:
    """Give the images of the job `p` their texts back, for ``before_process_batch``.

    By then all scripts have had their turn with the prompts.
    """
    job = getattr(p, _JOB, None)
    if job is None or job.is_settled or not job.laid_out:
        return
    job.is_settled = True
    neighbour = beside(p)
    if neighbour is None or not neighbour.wants_all():
        shorten(p, job.most)
        give_back(p, job.laid_out, neighbour)
    if p.prompt == job.laid_out["all_prompts"][0]:  # left there by Dynamic Prompts
        p.prompt = job.prompt


def _interrupt(p: Any) -> None:
    """Have the host end the job `p` as its own Interrupt does.

    The host has seen the button, too, but SD.Next begins anew before it samples, and forgets what was pressed
    until then.
    """
    state: Any = getattr(shared(), "state", None)
    init = p.init

    def interrupted(*args: Any, **more: Any) -> Any:
        if state is not None:
            state.interrupted = True
        return init(*args, **more)

    p.init = interrupted


def _stop(p: Any, sentence: str, status: int) -> None:
    """Have the host end the job `p` with `sentence`."""
    error = QuillworkError(sentence, status)
    p.override_settings = _Unreadable(error)  # every host reads it next, before it loads a checkpoint
    p.init = error.raised  # and calls this before it samples
    if type(p).__name__.endswith("Control"):
        _stop_control(p, error)


def _stop_control(p: Any, error: QuillworkError) -> None:
    """End a job of SD.Next's Control tab with `error`.

    That tab swallows errors raised before the job is closed. It shows those raised on closing as HTML without
    their class, by which our script of the page recognises them, so the class goes into the text.
    """
    close = p.close
    shown = QuillworkError(f"{type(error).__name__}: {escape(str(error))}", error.status_code)
    shown.detail = error.detail

    def closed() -> NoReturn:
        close()
        restore = getattr(getattr(p, "sd_model", None), "restore_pipeline", None)
        if restore is not None:  # what the tab would do next, but never reaches
            restore()
        shown.raised()

    p.close = closed


class _Unreadable(dict[str, Any]):
    """Settings that raise when somebody looks at them."""

    def __init__(self, error: QuillworkError) -> None:
        super().__init__()
        for name in ("keys", "items", "copy", "get", "pop"):
            setattr(self, name, error.raised)


def restore(_text: str, params: dict[str, Any]) -> None:
    """Put the user's own prompt back into `params`, for ``on_infotext_pasted``.

    What was written for it is kept, so that Generate makes the same image.
    """
    had = Texts(*(str(params.get(name) or "") for name in ("Prompt", "Negative prompt", "Hires prompt")))
    if not infotext.restore_prompts(params) or infotext.ERROR in params or not infotext.is_written(params):
        return
    own = Texts(*(str(params.get(name) or "") for name in ("Prompt", "Negative prompt", "Hires prompt")))
    arguments = infotext.arguments_in(params)
    try:
        image = JobImage(int(params["Seed"]), own)
        target = targets.load(arguments.target, targets_folder())
        keep(image, had, arguments, target, str(params[infotext.MODE]))
    except (TypeError, ValueError, KeyError, LLMError):
        return  # it will be written anew
