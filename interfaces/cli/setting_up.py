"""Commands setup and doctor: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from ...config import providers
from ...config.access import consent
from ...config.diagnostics import status
from ...config.diagnostics.bug_report import bug_report
from ...config.diagnostics.health import Check, report
from ...config.models.catalog import catalog
from ...config.settings.values import Settings, load
from ...llm_backends.errors import LLMError, NotConfigured
from ...llm_backends.runner import runner
from . import place
from .wizard import Wizard
from .writing import print_json

FINDINGS = 1
"""The exit code of a doctor who found something."""
_WAYS = """\
Ways to set up a model (as environment variables, or as lines in {env}):
  Ollama on this machine       LLM_MODEL=ollama/llama3.2
  LM Studio, vLLM, a proxy     LLM_BASE_URL=http://127.0.0.1:4000/v1  LLM_MODEL=the name it has there
  a provider on the internet   LLM_MODEL=openai/gpt-5-mini  and its key, e.g. OPENAI_API_KEY
  no model                     the phrasebook is used
"""


def setup_command(options: argparse.Namespace) -> int:
    """Set up by questions on a terminal; elsewhere, and with --allow, nothing is asked."""
    settings = load()
    for what in options.allow:
        if what.startswith(consent.FOLDER):
            what = f"{consent.FOLDER}{Path(what.removeprefix(consent.FOLDER)).expanduser().resolve()}"
            if not consent.can_be_given(what):
                raise NotConfigured(
                    f"There is no {what.removeprefix(consent.FOLDER)}.", hint="Name a folder."
                )
        elif not consent.can_be_given(what):
            providers.get(what)  # raises, with what there is
        consent.allow(what, settings.folder)
    allowed = status.allowed(settings)
    if options.json:
        print_json({"home": str(settings.folder), "allowed": allowed})
        return 0
    if not options.allow and _is_terminal(sys.stdin) and _is_terminal(sys.stdout):
        print(place.line())
        Wizard(settings.folder).run()
        return 0
    print(place.line() + "\n")
    print(_WAYS.format(env=settings.folder / ".env"))
    print("Shared workflows may use: " + (", ".join(allowed) or "no paid provider; see --allow"))
    return 0


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _look() -> tuple[dict[str, Any], Settings | None]:
    try:
        settings = load()
    except LLMError as error:
        # Nothing else can be looked at before the files of settings can be read.
        check = Check("Settings", False, error.message, error.hint)
        return {"status": "attention", "checks": [asdict(check)]}, None
    runner.run(catalog.listing(settings))
    found = report(settings)
    if other := place.other_python():
        found["checks"].insert(0, asdict(other))
        found["status"] = "attention"
    return found, settings


def doctor_command(options: argparse.Namespace) -> int:
    found, settings = _look()
    code = FINDINGS if found["status"] != "ok" else 0
    if options.json:
        print_json(bug_report(found, settings))
        return code
    for check in found["checks"]:
        print(f"{'ok  ' if check['ok'] else 'LOOK'}  {check['name']}: {check['message']}")
        if check["hint"] and not check["ok"]:
            print(f"      {check['hint']}")
    return code
