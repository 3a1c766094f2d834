"""Commands: their arguments, which of them runs, and how the program ends.

Exit codes: 0 done; 1 `doctor` found something; 2 usage, a file that cannot be used, or something to set
up here first; 3 the model could not be reached, or it or a rule of the user's own refused; 130 cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Sequence

from ...llm_backends import errors, modes, registry
from ...prompting.tasks import (
    CREATIVITIES,
    EXISTING,
    FORMS,
    HINTS,
    LARGEST_SEED,
    MOST_VALUES,
    MOST_VARIATIONS,
    ON_ERROR,
    SAVE_AS,
    SELECTIONS,
)
from . import listing, place, setting_up, writing
from .jobs import overview
from .jobs.caption import caption_command
from .jobs.carry_out import Stopped
from .jobs.from_file import enhance_file_command, variables_file_command

_HOME = (
    "use the settings, library and targets in this folder, not those of the ComfyUI or web UI "
    "that this folder lies in"
)
USAGE, UNREACHED, CANCELLED = 2, 3, 130

# Faults that the user has to put right here, as opposed to what happened on the other side.
_USAGE_ERRORS = (errors.NotConfigured, errors.MissingKey, errors.DependencyMissing)


def main(arguments: Sequence[str]) -> int:
    """Run the command in `arguments`; return the exit code."""
    _speak_utf8()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    options = _parser().parse_args(arguments)
    options.arguments = list(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        place.settle_in(options.home)
        code = command(options)
        if sys.stdout is not None:
            sys.stdout.flush()  # report a failed write here, rather than have Python do it as it ends
        return code
    except errors.LLMError as error:
        _complain(error.message, error.hint)
        return USAGE if isinstance(error, _USAGE_ERRORS) else UNREACHED
    except ValueError as error:  # templates, libraries, targets and YAML: each one plain sentence
        _complain(str(error))
        return USAGE
    except Stopped:
        return CANCELLED
    except (KeyboardInterrupt, EOFError, errors.Cancelled):  # EOFError: Ctrl+D at a question
        _complain("Cancelled.")
        return CANCELLED
    except BrokenPipeError:
        # The reader has had enough (`| head`); Python would complain about its own last flush.
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        _complain(f"{error.filename or 'The output'} cannot be used ({error.strerror or error}).")
        return USAGE


def _drop_output() -> None:
    """Discard what is still buffered."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _speak_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")


def _complain(message: str, hint: str = "") -> None:
    print(message, file=sys.stderr)
    if hint:
        print(hint, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python .", description="A language model that writes prompts for image models."
    )
    parser.add_argument("--home", metavar="FOLDER", default="", help=_HOME)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    enhance = _command(
        commands,
        "enhance",
        _one_or_file(writing.enhance_command, enhance_file_command),
        "turn an idea into a prompt",
    )
    enhance.add_argument("text", nargs="?", help="the idea, e.g. a fox in the snow")
    _file_options(enhance, "ideas, one a line")
    enhance.add_argument(
        "--target",
        default="general",
        help=("the image model that the prompt is for (list: `python . targets`)"),
    )
    enhance.add_argument("--instruction", default="", help="an additional instruction for the prompt")
    enhance.add_argument(
        "--variations", type=int, default=1, help=f"how many prompts, 1 to {MOST_VARIATIONS}"
    )
    enhance.add_argument(
        "--duration", default="", metavar="SECONDS", help="how long the video or piece of music is"
    )
    enhance.add_argument(
        "--aspect", default="", metavar="W:H", help="the aspect ratio to compose for, e.g. 16:9"
    )
    enhance.add_argument(
        "--language",
        default="",
        metavar="CODE",
        help="the language of the prompt, or of lyrics, speech and lettering in it, e.g. de",
    )
    enhance.add_argument(
        "--reference-role",
        action="append",
        default=[],
        metavar="ROLE",
        help="what an image that the model gets beside the prompt is for, e.g. 'subject: Anna' or style; "
        "once for each image",
    )
    enhance.add_argument("--on-error", choices=ON_ERROR, default="raise")
    _model_options(enhance)

    variables = _command(
        commands,
        "variables",
        _one_or_file(writing.variables_command, variables_file_command),
        "generate values for a variable",
    )
    variables.add_argument("name", nargs="?", help="what to generate, e.g. season")
    _file_options(variables, "names, one a line")
    variables.add_argument("--count", type=int, default=10, help=f"how many values, 1 to {MOST_VALUES}")
    variables.add_argument("--context", default="", help="the template in which the values will be used")
    variables.add_argument("--guidance", default="", help="additional guidance for the values")
    variables.add_argument("--creativity", choices=CREATIVITIES, default="balanced")
    variables.add_argument("--save", action="store_true", help="save them to the library")
    _model_options(variables)

    resolve = _command(
        commands, "resolve", writing.resolve_command, "fill a template with values from the library"
    )
    resolve.add_argument("template", help="e.g. a cottage in __season__, {dawn|dusk}")
    resolve.add_argument("--count", type=int, default=1, help="how many prompts, 1 to 1000")
    resolve.add_argument("--selection", choices=SELECTIONS, default="random")
    resolve.add_argument(
        "--generate-missing",
        action="store_true",
        help="generate and save 20 values for each variable without a file",
    )
    resolve.add_argument(
        "--no-repeats", action="store_true", help="no value of a variable twice in one prompt"
    )
    _model_options(resolve)

    caption = _command(commands, "caption", caption_command, "write a caption beside each image of a folder")
    caption.add_argument("folder")
    caption.add_argument(
        "--target", default="", help="write prompts for this image model instead of descriptions"
    )
    caption.add_argument("--instruction", default="", help="what all captions should say")
    caption.add_argument("--trigger", default="", help="a word that every caption begins with")
    caption.add_argument(
        "--omit", default="", metavar="WHAT", help="what is not to be named, e.g. hair colour"
    )
    caption.add_argument("--always", default="", metavar="WORDS", help="words that every caption has")
    caption.add_argument("--never", default="", metavar="WORDS", help="words to avoid, separated by commas")
    caption.add_argument("--form", choices=FORMS, default="any")
    caption.add_argument("--words", type=int, default=0, help="about how many words (default: any number)")
    caption.add_argument(
        "--hint", choices=HINTS, default="none", help="also tell the model the file's name or text"
    )
    caption.add_argument(
        "--existing", choices=EXISTING, default="keep", help="what to do with captions that are there"
    )
    caption.add_argument(
        "--save-as",
        choices=SAVE_AS,
        default=SAVE_AS[0],
        help="where captions go: a file beside each image (txt, caption), one table (jsonl, csv), or the "
        "metadata of the images (default: txt)",
    )
    caption.add_argument("--suffix", default="", help="another ending of the caption files")
    caption.add_argument("--subfolders", action="store_true", help="also caption the images in subfolders")
    caption.add_argument(
        "--videos", action="store_true", help="also caption videos, from some of their frames"
    )
    caption.add_argument("--limit", type=int, default=0, metavar="N", help="only the first N images")
    _cheap_options(caption)
    caption.add_argument("--yes", action="store_true", help="begin without showing the first captions")
    _model_options(caption)

    jobs = _command(commands, "jobs", _jobs_command, "list, show, resume or clean up jobs")
    jobs.add_argument("what", nargs="?", choices=("list", "show", "resume", "clean"), default="list")
    jobs.add_argument("id", nargs="?", default="")

    targets = _command(
        commands, "targets", listing.targets_command, "list the image models that prompts can be written for"
    )
    targets.add_argument("words", nargs="*", help="only those that match these words")
    models = _command(commands, "models", listing.models_command, "list the models to choose from")
    models.add_argument("words", nargs="*", help="only those that match these words")
    models.add_argument("--provider", default="", help="only this provider's, e.g. ollama")
    models.add_argument("--all", action="store_true", help="also list those that are not set up")
    listed = _command(
        commands, "providers", listing.providers_command, "list the providers, and which of them are set up"
    )
    listed.add_argument(
        "--all", action="store_true", help="also list the others, and what each of them needs"
    )
    _command(commands, "usage", listing.usage_command, "show today's calls and what they cost")
    _command(
        commands, "config", listing.config_command, "show every setting, its value and where it comes from"
    )

    setup = _command(commands, "setup", setting_up.setup_command, "choose a language model, step by step")
    setup.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="WHAT",
        help="allow shared workflows to use a provider, or `downloads`",
    )
    _command(commands, "doctor", setting_up.doctor_command, "check the installation and the endpoint")
    return parser


def _one_or_file(
    one: Callable[[argparse.Namespace], int], file: Callable[[argparse.Namespace], int]
) -> Callable[[argparse.Namespace], int]:
    """Return the command for one text, or with --file for a file of them."""

    def run(options: argparse.Namespace) -> int:
        given = options.text if "text" in options else options.name
        if bool(options.file) != bool(options.out):
            raise ValueError("--file and --out belong together: name the file to read and the one to write.")
        if (given is None) != bool(options.file):
            raise ValueError("Give one text, or --file IN --out OUT for a file of them.")
        if options.cheap and not options.file:
            raise ValueError("--when-cheap and --flex belong to --file: a single text is asked for at once.")
        return file(options) if options.file else one(options)

    return run


def _jobs_command(options: argparse.Namespace) -> int:
    return (
        main(overview.arguments_of(options)) if options.what == "resume" else overview.jobs_command(options)
    )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    what: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=what, description=what.capitalize() + "."
    )
    parser.set_defaults(command=run)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--home", metavar="FOLDER", default=argparse.SUPPRESS, help=_HOME)
    return parser


def _file_options(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--file", default="", metavar="IN", help=f"a .txt, .csv or .jsonl file of {what}; - for stdin"
    )
    parser.add_argument(
        "--out", default="", metavar="OUT", help="with --file: the .jsonl or .csv file to write"
    )
    _cheap_options(parser)


def _cheap_options(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(cheap="")
    parser.add_argument(
        "--when-cheap",
        dest="cheap",
        action="store_const",
        const="batch",
        help="ask in batches, at half the price and within 24 hours (OpenAI, Anthropic, Google Gemini)",
    )
    parser.add_argument(
        "--flex",
        dest="cheap",
        action="store_const",
        const="flex",
        help="ask in the slower tier, at half the price and within minutes (OpenAI, Google Gemini)",
    )


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_seed, default=0)
    parser.add_argument("--mode", default=modes.AUTO, help=", ".join(registry.choices(installed=False)))
    parser.add_argument("--model", default="", help="e.g. ollama/llama3.2")


def _seed(text: str) -> int:
    """Read a seed. A negative one is left to the models that take it."""
    with contextlib.suppress(ValueError):  # as is said of a number of thousands of digits, too
        if abs(seed := int(text)) <= LARGEST_SEED:
            return seed
    raise argparse.ArgumentTypeError(f"a seed is a whole number of at most {LARGEST_SEED}")
