"""Set-up by questions and answers. A key is never asked for: it does not belong in a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ...config import own_server, providers
from ...config.access import consent
from ...config.models import sizes
from ...config.models.catalog import Listing, SourceState, catalog
from ...config.pasted import holds_key
from ...config.providers.table import Provider
from ...config.settings.env_file import write_env
from ...config.settings.values import load
from ...llm_backends.errors import LLMError
from ...llm_backends.host import program
from ...llm_backends.modes import HF_DOWNLOAD
from ...llm_backends.remote.addresses import mended
from ...llm_backends.runner import runner
from ...llm_backends.system.command_line import command
from ...prompting import phrasebook

# Settings left behind by another way of reaching a model.
_CLEAN: dict[str, str | None] = {"LLM_MODE": None, "LLM_MODEL": None, "LLM_BASE_URL": None}

_PROVIDERS_SHOWN = _MODELS_SHOWN = 20
_GOOD_FOR = {
    "tiny": "short prompts in plain sentences",
    "small": "prompts in English, short lists",
    "standard": "every prompt format, lists, other languages",
    "large": "long ideas, translation, chat",
}
_MODEL_NAMED = re.compile(r"(?i)^(?:export\s+|setx?\s+|\$env:)?(?:LLM_)?MODEL(?:_ID|_NAME)?\s*[=:]\s*")
_QUOTES = " \t\"'`“”‘’«»"


class Wizard:
    """Questions on how Quillwork is to write; writes ``.env`` in `folder`.

    `ask` and `say` are the terminal.
    """

    def __init__(
        self, folder: Path, ask: Callable[[str], str] = input, say: Callable[[str], None] = print
    ) -> None:
        self._folder = folder
        self._ask = ask
        self._say = say

    def run(self) -> None:
        self._say("Checking what is available ...")
        listing = runner.run(catalog.listing(load()))
        found = runner.run(own_server.look_around())
        ways: list[tuple[str, Callable[[Listing], dict[str, str | None]]]] = [
            (f"{label} at {address} (found)", partial(self._found, address)) for label, address in found
        ]
        ways.insert(
            0 if self._running_ollama(listing) else len(ways), (self._ollama_line(listing), self._ollama)
        )
        ways += [
            ("An OpenAI-compatible server: LM Studio, vLLM, a LiteLLM proxy", self._endpoint),
            ("A provider on the internet, with your own key", self._provider),
            ("A 4-bit model on this machine (downloaded once, 0.5 to 6 GB)", self._download),
            ("No model: use the phrasebook", lambda _: {"LLM_MODE": phrasebook.NAME}),
        ]
        self._say("Which language model should Quillwork use?")
        _, way = ways[self._choose([line for line, _ in ways])]
        chosen = way(listing)
        if not chosen:
            return
        self._say("\nThese lines will be added to " + str(self._folder / ".env") + ":")
        for name, text in chosen.items():
            self._say(f"  {name}={text}")
        if not self._agrees("Write them?"):
            self._say("Nothing was written.")
            return
        write_env(self._folder, {**_CLEAN, **chosen})
        self._say("Saved. The change takes effect on the next run. Checking the setup:")
        self._say(f"  {command('doctor')}")

    def _running_ollama(self, listing: Listing) -> SourceState | None:
        return next((one for one in listing.sources if one.id == "ollama" and one.state == "ok"), None)

    def _ollama_line(self, listing: Listing) -> str:
        running = self._running_ollama(listing)
        return f"Ollama on this machine ({running.count} models)" if running else "Ollama (not running)"

    def _ollama(self, listing: Listing) -> dict[str, str | None]:
        there = [model.id for model in listing.select(provider="ollama")]
        models = there or [f"ollama/{model}" for model in providers.get("ollama").models]
        if not there:
            self._say(
                "Install Ollama from https://ollama.com/download, then run `ollama pull` for the model."
            )
        return {"LLM_MODEL": models[self._choose(models[:20])]}

    def _found(self, address: str, listing: Listing) -> dict[str, str | None]:
        try:
            models = runner.run(own_server.test(address, None))
        except LLMError as error:
            self._say(f"{error.message} {error.hint}")
            return {}
        model = models[self._choose(models[:_MODELS_SHOWN])] if models else self._model("Model name", "")
        return {"LLM_BASE_URL": address, "LLM_MODEL": model}

    def _endpoint(self, listing: Listing) -> dict[str, str | None]:
        typed = self._without_key("Server address", "http://127.0.0.1:4000/v1").strip(_QUOTES)
        address = mended(typed) or typed
        if address != typed:
            self._say(f"It is read as {address}.")
        model = self._model("Model name on that server", "")
        self._say("Key, if required:  " + _export("LLM_API_KEY"))
        self._say("The key is used only if the address is set, too: " + _export("LLM_BASE_URL", address))
        return {"LLM_BASE_URL": address, **({"LLM_MODEL": model} if model else {})}

    def _provider(self, listing: Listing) -> dict[str, str | None]:
        remote = [provider for provider in providers.every() if not provider.is_local]
        shown = remote[:_PROVIDERS_SHOWN]
        self._say(
            f"{len(remote) - len(shown)} more are found by typing a part of the name: kimi, qwen, cerebras"
        )
        provider = self._choose_of(shown, remote)
        model = self._model("Model", next(iter(provider.models), ""))
        needed = (*provider.needed_variables.values(), *provider.place_variables.values())
        variables = [provider.key_variables[0], *(names[0] for names in needed)]
        if provider.default_base_url is None:
            variables.append(provider.base_variables[0])
        self._say(f"Get a key: {provider.key_url}")
        self._say(f"Set it in the environment of {program()}. It is not written to any file:")
        for variable in variables:
            self._say("  " + _export(variable))
        if self._agrees(f"Allow shared workflows to use {provider.label} at your cost?", default=False):
            consent.allow(provider.id, self._folder)
        return {"LLM_MODEL": f"{provider.id}/{model.removeprefix(provider.id + '/')}"}

    def _download(self, listing: Listing) -> dict[str, str | None]:
        free, on_gpu = sizes.free_memory()
        size = sizes.suggested(free, on_gpu=on_gpu)
        if free is not None:
            self._say(f"{free:.1f} GB of {'GPU memory' if on_gpu else 'memory'} are free now.")
        others = [one for one in sizes.SIZES if one != size]
        lines = [_size_line(one) for one in (size, *others)]
        chosen = self._choose([*lines, "Another repository on Hugging Face"])
        model = (
            (size, *others)[chosen].repository
            if chosen < len(lines)
            else self._answer("Repository on Hugging Face", size.repository)
        )
        if self._agrees(f"Allow {model} to be downloaded when it is needed?"):
            consent.allow(consent.DOWNLOADS, self._folder)
        return {"LLM_MODE": HF_DOWNLOAD, "LLM_MODEL": model}

    def _choose(self, lines: Sequence[str]) -> int:
        for number, line in enumerate(lines, 1):
            self._say(f"  {number:2}  {line}")
        while True:
            text = self._ask(f"1 to {len(lines)} [1]: ").strip() or "1"
            if text.isdecimal() and 1 <= int(text) <= len(lines):
                return int(text) - 1
            self._say("Enter one of the numbers.")

    def _choose_of(self, shown: Sequence[Provider], remote: Sequence[Provider]) -> Provider:
        self._number(shown)
        while True:
            text = self._ask(f"1 to {len(shown)}, or a part of a name [1]: ").strip() or "1"
            if text.isdecimal() and 1 <= int(text) <= len(shown):
                return shown[int(text) - 1]
            found = providers.matching(text, remote)
            if len(found) == 1:
                self._say(f"{found[0].label} ({found[0].id})")
                return found[0]
            if found:
                shown = found
                self._number(shown)
                continue
            close = providers.nearest(text, remote)
            meant = f" Did you mean {close.label} ({close.id})?" if close else ""
            self._say(
                f"No provider matches {text!r}.{meant} `{command('providers', '--all')}` lists all of them."
            )

    def _number(self, shown: Sequence[Provider]) -> None:
        for number, row in enumerate(shown, 1):
            self._say(f"  {number:2}  {row.label} ({row.id})")

    def _model(self, question: str, default: str) -> str:
        typed = self._without_key(question, default)
        model = _MODEL_NAMED.sub("", typed).strip(_QUOTES)
        if model != typed:
            self._say(f"It is read as {model}.")
        return model

    def _without_key(self, question: str, default: str) -> str:
        """Ask `question` until the answer does not look like a key."""
        while holds_key(typed := self._answer(question, default)):
            self._say("That looks like a key. It belongs in the environment, not in this file.")
        return typed

    def _answer(self, question: str, default: str) -> str:
        return self._ask(f"{question} [{default}]: " if default else f"{question}: ").strip() or default

    def _agrees(self, question: str, *, default: bool = True) -> bool:
        text = self._ask(f"{question} [{'Y/n' if default else 'y/N'}]: ").strip().lower()
        return text in ("y", "yes") if text else default


def _size_line(size: sizes.Size) -> str:
    speed = size.cpu_tokens_per_s
    measured = f", {speed:g} tokens/s on a CPU" if speed else ""
    return (
        f"{size.name.capitalize()}: {_GOOD_FOR[size.name]} "
        f"({size.download_gb} GB to download, needs {size.needs_gb} GB{measured})"
    )


def _export(variable: str, text: str = "...") -> str:
    return f"set {variable}={text}" if os.name == "nt" else f"export {variable}={text}"
