"""A GGUF model in memory: its tokens, its chat format, its generation."""

from __future__ import annotations

import contextlib
import ctypes
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ... import errors
from ...host import ManagedModel, program
from ...system.cores import physical_cores
from ...types import Image, Message, Reasoning, Tool
from .. import chat_template
from ..family_templates import template_for
from ..resident import Evicted
from ..token_text import LOUD_TAGS
from ..transformers_local.sampling import SamplingSettings
from . import amx, parallel
from . import file as gguf_file
from .projector import BATCH, Projector
from .prompt import Picture, Piece, Prompt
from .template import ChatTemplate

# In tokens. Models are trained for more than most machines have room for; more is taken when it is needed.
_USUAL_CONTEXT = 8192
# A prompt is read in pieces of this many tokens, whatever of it is in the KV cache already: other pieces
# would be added up in another order, and the same seed might give another text. A GPU wants much at once; on
# a CPU a stop is heard sooner between small ones.
_PIECE_ON_CPU, _PIECE_ON_GPU = 256, 512
_LABEL = re.compile(r"[A-Z][a-z ]{1,40}:(?= )")
_INSTALL = (
    "Install llama.cpp in {program}'s Python environment: pip install llama-cpp-python "
    "--extra-index-url https://abetlen.github.io/llama-cpp-python/whl/cpu (for an NVIDIA GPU "
    ".../whl/cu124, or the one for your CUDA version)."
)


def _install() -> str:
    return _INSTALL.format(program=program())


def llama_cpp() -> Any:
    """The module ``llama_cpp``. Raises `errors.DependencyMissing` where it is missing or broken."""
    try:
        import llama_cpp
    except ImportError as error:
        package = "llama-cpp-python" if error.name in (None, "llama_cpp") else error.name
        raise errors.DependencyMissing(
            f"The mode gguf needs the Python package {package}, which is not installed.", hint=_install()
        ) from None
    except (OSError, RuntimeError) as error:
        raise errors.DependencyMissing(
            f"llama-cpp-python is installed but cannot be loaded ({error}).",
            hint=f"Install a build that fits this machine. {_install()}",
        ) from None
    return llama_cpp


def uses_gpu() -> bool:
    """Tell whether the installed llama.cpp can compute on a GPU."""
    return bool(llama_cpp().llama_supports_gpu_offload())


class GgufModel(ManagedModel):
    """The model of one file, in memory or not; see `host.ManagedModel`. Making it reads eight bytes.

    `context` is the longest sequence in tokens as loaded, `longest` as the model was trained. It sees through
    the file `projector`, if any, which is loaded with the first picture.
    """

    def __init__(self, file: Path, projector: Path | None = None) -> None:
        gguf_file.check(file)
        self.file, self.name, self.projector_file = file, file.name, projector
        self.size = gguf_file.size_of(file) + (projector.stat().st_size if projector else 0)
        self.loaded_on: Any = None
        self.context = _USUAL_CONTEXT
        self.longest = _USUAL_CONTEXT
        self._llama: Any = None
        self._projector: Projector | None = None
        self._sequences: parallel.Sequences | None = None
        # The pieces of the last prompt that are in the KV cache.
        self._read: list[Piece] = []
        self._piece = _PIECE_ON_CPU

    def load(self, device: Any, dtype: str = "") -> None:
        """Load as in `host.ManagedModel`; a `device` of None is llama.cpp's GPU, if any, with dtypes of
        its own."""
        if self._llama is not None:
            return
        library = llama_cpp()
        on_gpu = getattr(device, "type", "cuda") != "cpu" and uses_gpu()
        self._piece = _PIECE_ON_GPU if on_gpu else _PIECE_ON_CPU
        batch = BATCH if self.projector_file else self._piece
        threads = physical_cores()
        made = amx.class_without_it(library) if amx.cannot_be_trusted(library) else library.Llama
        try:
            self._llama = made(
                str(self.file),
                n_ctx=self.context,
                n_batch=batch,
                n_ubatch=batch,
                n_threads=threads,
                n_threads_batch=threads,
                n_gpu_layers=-1 if on_gpu else 0,
                main_gpu=getattr(device, "index", None) or 0,
                verbose=False,
            )
        except Exception:  # noqa: BLE001 - whatever is wrong with a file comes out as anything
            self.context = _USUAL_CONTEXT
            raise errors.BackendUnavailable(
                f"llama.cpp could not load {self.name} ({self.size / 1e9:.1f} GB).",
                hint="The file may be incomplete, in a format that this version of llama-cpp-python "
                "does not support, or too large for the free memory. Download it again, update "
                "llama-cpp-python, or choose a smaller file.",
            ) from None
        self.longest = self._trained_for()
        self.loaded_on = device if device is not None else "cpu"

    def detach(self) -> None:
        """Free the memory as in `host.ManagedModel`."""
        llama, self._llama, self.loaded_on, self._read = self._llama, None, None, []
        for name in ("_controls", "_stop_ids", "_template", "_places", "silent_ids"):
            self.__dict__.pop(name, None)
        projector, self._projector = self._projector, None
        if projector is not None:
            projector.close()
        self._close_sequences()
        if llama is not None:
            llama.close()

    def widen(self, tokens: int) -> None:
        """Reload with room for sequences of `tokens`, as far as the model was trained for them."""
        device = self.loaded_on
        self.detach()
        self.context = min(self.longest, -(-tokens // _USUAL_CONTEXT) * _USUAL_CONTEXT)
        self.load(None if device == "cpu" else device)

    # What the tokens are

    @cached_property
    def _controls(self) -> dict[int, str]:
        """Control tokens, and ordinary tokens that the tokenizer makes of their names wherever they occur."""
        library = llama_cpp()
        vocabulary = library.llama_model_get_vocab(self._llama.model)
        known = library.LLAMA_TOKEN_ATTR_CONTROL | library.LLAMA_TOKEN_ATTR_UNKNOWN
        named = library.LLAMA_TOKEN_ATTR_USER_DEFINED
        found = {}
        for index in range(library.llama_vocab_n_tokens(vocabulary)):
            kind = library.llama_vocab_get_attr(vocabulary, index)
            if kind & (known | named):
                text = (library.llama_vocab_get_text(vocabulary, index) or b"").decode("utf-8", "replace")
                if kind & known or _is_tag(text):
                    found[index] = text
        return found

    @cached_property
    def _stop_ids(self) -> frozenset[int]:
        library = llama_cpp()
        vocabulary = library.llama_model_get_vocab(self._llama.model)
        stops = {index for index in self._controls if library.llama_vocab_is_eog(vocabulary, index)}
        if self._template.usable:
            apply = self._template.applying("off")
            assert apply is not None
            after = self._ids(chat_template.after_an_answer(apply), special=True)[:1]
            stops.update(index for index in after if index in self._controls)
        return frozenset(stops)

    @cached_property
    def _template(self) -> ChatTemplate:
        metadata: Mapping[str, str] = self._llama.metadata
        return ChatTemplate(
            metadata.get("tokenizer.chat_template", "") or template_for(self._controls.values()),
            self._text_of(self._llama.token_bos()),
            self._text_of(self._llama.token_eos()),
        )

    @cached_property
    def _places(self) -> Any:
        return chat_template.places_of(self._controls.values())

    @property
    def stop_ids(self) -> frozenset[int]:
        return self._stop_ids

    @property
    def stop_texts(self) -> tuple[str, ...]:
        return () if self._template.usable else chat_template.PLAIN_STOPS

    @property
    def has_template(self) -> bool:
        return self._template.usable

    @cached_property
    def silent_ids(self) -> frozenset[int]:
        return frozenset(index for index, text in self._controls.items() if text not in LOUD_TAGS)

    def decode(self, ids: Sequence[int]) -> str:
        """Decode tokens into text."""
        return str(self._llama.detokenize(list(ids), special=True), "utf-8", "replace")

    def encode(self, messages: Sequence[Message], reasoning: Reasoning, tools: Sequence[Tool] = ()) -> Prompt:
        """Encode `messages` into the prompt that asks for the next message, until `forget_pictures`.

        No text of a message becomes a control token; its pictures stand before it. Raises `BadRequest` for
        `tools` that the template does not offer to the model.
        """
        filled = chat_template.fill(messages, self._template.applying(reasoning, tools))
        chat_template.check_offer(filled, tools, self.name)
        texts = filled.texts
        images = self._images_before(messages, filled.order)
        whole = filled.literals[0] + "".join(
            text + literal for text, literal in zip(texts, filled.literals[1:], strict=True)
        )
        ids: list[Any] = self._ids(whole, special=True)
        parts = [self._ids(literal, special=True) for literal in filled.literals]
        if any(images) or self._control_ids(ids) != [
            index for part in parts for index in self._control_ids(part)
        ]:
            ids = list(parts[0])
            for pictures, text, part in zip(images, texts, parts[1:], strict=True):
                ids += [piece for picture in pictures for piece in self._look(picture)]
                ids += [*self._harmless_ids(text), *part]
        start = self._llama.tokenize(b"", add_bos=True, special=False)
        before = [] if ids[: len(start)] == start else start
        # Everything before the text of the last message, and the label that this begins with.
        label = _LABEL.match(texts[-1])
        last = len(texts[-1]) - (label.end() if label else 0)
        head = self._ids(whole[: len(whole) - len(filled.literals[-1]) - last], special=True)
        return Prompt.of([*before, *ids], filled.opens_thinking, [*before, *head])

    @staticmethod
    def _images_before(messages: Sequence[Message], order: Sequence[int]) -> list[tuple[Image, ...]]:
        """The images before each text of a filled template: those of a message before its first text."""
        return [
            messages[number].images if number not in order[:place] else ()
            for place, number in enumerate(order)
        ]

    def _look(self, image: Image) -> list[int | Picture]:
        if self._projector is None:
            assert self.projector_file is not None
            on_gpu = self.loaded_on != "cpu" and uses_gpu()
            self._projector = Projector(self.projector_file, self._llama, self.name, on_gpu=on_gpu)
        return self._projector.look(image)

    def forget_pictures(self) -> None:
        """Free the pictures of the prompts encoded so far."""
        if self._projector is not None:
            self._projector.forget()

    def begun(self, text: str) -> list[int]:
        """Encode the first words of an answer."""
        return self._ids(text, special=False)

    def _ids(self, text: str, *, special: bool) -> list[int]:
        if not text:
            return []
        ids: list[int] = self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=special)
        return ids

    def _control_ids(self, ids: Sequence[int]) -> list[int]:
        return [index for index in ids if index in self._controls]

    def _harmless_ids(self, text: str) -> list[int]:
        pieces = chat_template.cut(text, self._places)
        ids = [index for piece in pieces for index in self._ids(piece, special=False)]
        return [index for index in ids if index not in self._controls]

    def _text_of(self, index: int) -> str:
        return self._controls.get(index, "") if index >= 0 else ""

    def _trained_for(self) -> int:
        metadata: Mapping[str, str] = self._llama.metadata
        length = metadata.get(f"{metadata.get('general.architecture', '')}.context_length", "")
        return max(int(length), 1) if length.isdigit() else self.context

    # How it writes

    def grammar(self, schema: Mapping[str, Any]) -> Any:
        """llama.cpp's grammar for a JSON schema; None for a schema that it does not support."""
        try:
            return llama_cpp().LlamaGrammar.from_json_schema(json.dumps(schema), verbose=False)
        except Exception:  # noqa: BLE001 - the answer is read with care all the same
            return None

    def generate(
        self,
        prompt: Prompt,
        settings: SamplingSettings,
        seed: int,
        check: Callable[[], None],
        cancelled: Callable[[], bool],
        grammar: Any = None,
    ) -> Generator[int, None, None]:
        """Generate the tokens after `prompt`, without end. `check` is called while it is read; what it raises
        comes out. `cancelled` is asked from another thread too, and ends the reading at once.

        Raises `Evicted` where the model was evicted meanwhile, on a token or a check.
        """
        llama = self._llama
        self._read_pieces(llama, prompt, prompt.pieces(self._piece)[:-1], check, cancelled)
        llama.set_seed(seed)
        tokens: Generator[int, Any, None] = llama.generate(
            list(prompt.ids), **parallel.sampling_arguments(settings), grammar=grammar
        )
        with contextlib.closing(tokens):
            with self._abortable(llama, llama.ctx, cancelled):
                first = next(tokens)  # the last piece of the prompt is read on the way to it
            yield first
            self._still_here(llama)
            for token in tokens:
                yield token
                self._still_here(llama)

    def can_write_together(self, rows: Sequence[parallel.Row], room: int) -> bool:
        """Tell whether `room` bytes do for writing at least two of `rows` at once, and this llama.cpp can."""
        return parallel.is_possible(llama_cpp(), self._llama) and self._layout(rows, room)[0] > 1

    def _layout(self, rows: Sequence[parallel.Row], room: int) -> tuple[int, list[Piece], int]:
        """The number of sequences, the pieces that they share, and the most tokens of one beside these."""
        pieces = parallel.common_pieces([row.prompt for row in rows], self._piece)
        shared = pieces[-1][1] if pieces else 0
        each = parallel.cells_of(rows, shared)
        cell = parallel.bytes_of_cell(llama_cpp(), self._llama)
        count = parallel.count_that_fits(len(rows), shared, each, cell, room)
        return count if shared < self.context else 0, pieces, each

    def generate_together(
        self,
        rows: Sequence[parallel.Row],
        room: int,
        check: Callable[[], None],
        cancelled: Callable[[], bool],
    ) -> Generator[list[tuple[int, int]], None, None]:
        """Generate the tokens of `rows` as `generate` does, several at once, each until it is over: yield
        after every step the places of the rows that got a token, with it. Raises RuntimeError as well, where
        llama.cpp has no memory for it."""
        llama = self._llama
        count, pieces, each = self._layout(rows, room)
        self._read_pieces(llama, rows[0].prompt, pieces, check, cancelled)
        shared = pieces[-1][1] if pieces else 0
        self._sequences = parallel.Sequences(llama_cpp(), llama, count, shared, each)
        context = self._sequences.context

        def before_piece() -> None:
            check()
            self._still_here(llama)

        try:
            self._sequences.copy_shared()
            steps = self._sequences.write(rows, self._piece, before_piece)
            while True:
                # A step of many rows takes long enough for a stop to be heard within it.
                with self._abortable(llama, context, cancelled):
                    taken = next(steps, None)
                if taken is None:
                    return
                yield taken
                self._still_here(llama)
        finally:
            self._close_sequences()

    def _close_sequences(self) -> None:
        sequences, self._sequences = self._sequences, None
        if sequences is not None:
            sequences.close()

    def _still_here(self, llama: Any) -> None:
        """Raise `Evicted` where the model was closed: llama.cpp would crash on it."""
        if self._llama is not llama:
            raise Evicted

    def _read_pieces(
        self,
        llama: Any,
        prompt: Prompt,
        pieces: Sequence[Piece],
        check: Callable[[], None],
        cancelled: Callable[[], bool],
    ) -> None:
        """Read the first `pieces` of `prompt` into the KV cache, save a beginning that is still there."""
        kept = 0
        for piece, read in zip(pieces, self._read, strict=False):
            start, end, _ = piece
            if piece != read or llama.input_ids[start:end].tolist() != list(prompt.ids[start:end]):
                break
            kept = end
        if kept == 0 or self._forgets_in_order():
            kept = 0
            llama.reset()
        llama.n_tokens = kept
        self._read = [piece for piece in pieces if piece[1] <= kept]
        with self._abortable(llama, llama.ctx, cancelled):
            for start, end, picture in pieces:
                if end <= kept:
                    continue
                check()
                self._still_here(llama)
                if picture is None:
                    llama.eval(list(prompt.ids[start:end]))
                else:
                    assert self._projector is not None
                    self._projector.read(llama, picture)
                self._read.append((start, end, picture))
        check()
        self._still_here(llama)

    def _forgets_in_order(self) -> bool:
        """Tell whether the model is recurrent and cannot go back to an earlier position."""
        library = llama_cpp()
        asked = ("llama_model_is_recurrent", "llama_model_is_hybrid")
        return any(getattr(library, name, lambda _: False)(self._llama.model) for name in asked)

    @contextlib.contextmanager
    def _abortable(self, llama: Any, context: Any, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Have llama.cpp poll `cancelled` while it computes in `context`; on a GPU between pieces only."""
        library = llama_cpp()
        ask = library.ggml_abort_callback(lambda _: cancelled())
        library.llama_set_abort_callback(context, ask, ctypes.c_void_p(0))
        try:
            yield
        except RuntimeError:
            if cancelled():
                raise errors.Cancelled from None
            raise
        finally:
            if self._llama is llama:
                nobody = library.ggml_abort_callback(0)
                library.llama_set_abort_callback(context, nobody, ctypes.c_void_p(0))


def _is_tag(text: str) -> bool:
    """Tell whether an ordinary token with a name is a tag, such as <think>, and no run of spaces."""
    return len(text) > 2 and (text[0], text[-1]) in (("<", ">"), ("[", "]"))
