"""The projector of a GGUF model: a file beside it through which it sees, read by llama.cpp's library mtmd.

https://github.com/ggml-org/llama.cpp/blob/master/docs/multimodal.md
"""

from __future__ import annotations

import ctypes
import zlib
from pathlib import Path
from typing import Any

from ... import errors
from ...images import pixels_of
from ...types import Image
from .prompt import Picture

# No token has an id below zero.
_MARKS = 2**30
# Some models look at all of a picture at once, and llama.cpp ends the process where a batch has no room.
BATCH = 1024


class Projector:
    """A projector in memory. `llama` is the loaded model that it belongs to; `name` is for messages.

    Raises `errors.LLMError` for a file that does not fit the model, and where llama-cpp-python is too old.
    """

    def __init__(self, file: Path, llama: Any, name: str, *, on_gpu: bool) -> None:
        self._name = name
        self._held: list[Any] = []
        try:
            import llama_cpp
            from llama_cpp import mtmd_cpp
        except (ImportError, OSError, RuntimeError):
            raise errors.DependencyMissing(
                f"The installed llama-cpp-python cannot look at images, which {name} needs.",
                hint="Update llama-cpp-python, choose a vision model in another mode, or remove the image.",
            ) from None
        self._mtmd, self._llama_cpp = mtmd_cpp, llama_cpp
        # Kept, because the library holds no reference to it.
        self._quiet = llama_cpp.llama_log_callback(lambda *_: None)
        for silence in ("mtmd_log_set", "mtmd_helper_log_set"):
            if hasattr(mtmd_cpp, silence):
                getattr(mtmd_cpp, silence)(self._quiet, ctypes.c_void_p(0))
        parameters = mtmd_cpp.mtmd_context_params_default()
        parameters.use_gpu, parameters.print_timings = on_gpu, False
        parameters.n_threads = llama.n_threads
        self._context = mtmd_cpp.mtmd_init_from_file(str(file).encode(), llama.model, parameters)
        if not self._context or not mtmd_cpp.mtmd_support_vision(self._context):
            self.close()
            raise errors.CannotSee(
                f"llama.cpp could not use {file.name} as the projector of {name}.",
                hint="Put the mmproj file of this very model beside it, or set LLM_MMPROJ to it.",
            )

    def look(self, image: Image) -> list[int | Picture]:
        """The ids and the picture that `image` becomes, the model's own marks around it included."""
        mtmd, pixels = self._mtmd, pixels_of(image)
        data = pixels.tobytes()
        bitmap = mtmd.mtmd_bitmap_init(*pixels.size, (ctypes.c_uint8 * len(data)).from_buffer_copy(data))
        chunks = mtmd.mtmd_input_chunks_init()
        try:
            marker = mtmd.mtmd_default_marker()
            text = mtmd.mtmd_input_text()
            text.text, text.add_special, text.parse_special = marker, False, True
            if hasattr(text, "text_len"):
                text.text_len = len(marker)
            bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
            if mtmd.mtmd_tokenize(self._context, chunks, ctypes.byref(text), bitmaps, 1):
                raise errors.BadRequest(
                    f"{self._name} cannot process this image.", hint="Scale it, or choose another model."
                )
            mark = -2 - zlib.crc32(data) % _MARKS
            count = mtmd.mtmd_input_chunks_size(chunks)
            return [part for at in range(count) for part in self._parts(chunks, at, mark)]
        finally:
            mtmd.mtmd_input_chunks_free(chunks)
            mtmd.mtmd_bitmap_free(bitmap)

    def _parts(self, chunks: Any, at: int, mark: int) -> list[int | Picture]:
        mtmd = self._mtmd
        chunk = mtmd.mtmd_input_chunks_get(chunks, at)
        cells = int(mtmd.mtmd_input_chunk_get_n_tokens(chunk))
        if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT:
            length = ctypes.c_size_t()
            ids = mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(length))
            return [int(ids[place]) for place in range(length.value)]
        if cells > BATCH:
            raise errors.BadRequest(
                f"{self._name} makes {cells:,} tokens of this image; the limit is {BATCH:,}.",
                hint="Scale the image down first.",
            )
        copy = mtmd.mtmd_input_chunk_copy(chunk)
        self._held.append(copy)
        return [Picture(mark, int(mtmd.mtmd_input_chunk_get_n_pos(chunk)), cells, copy)]

    def read(self, llama: Any, picture: Picture) -> None:
        """Read `picture` into the KV cache behind what it holds. Raises RuntimeError where that fails."""
        start = llama.n_tokens
        memory = self._llama_cpp.llama_get_memory(llama.ctx)
        self._llama_cpp.llama_memory_seq_rm(memory, -1, start, -1)
        end = self._llama_cpp.llama_pos(0)
        failed = self._mtmd.mtmd_helper_eval_chunk_single(
            self._context, llama.ctx, picture.chunk, start, 0, llama.n_batch, False, ctypes.byref(end)
        )
        if failed:
            raise RuntimeError(f"mtmd returned {failed}")
        llama.input_ids[start : end.value] = picture.mark
        llama.n_tokens = end.value

    def forget(self) -> None:
        """Free the pictures looked at so far."""
        held, self._held = self._held, []
        for chunk in held:
            self._mtmd.mtmd_input_chunk_free(chunk)

    def close(self) -> None:
        """Free everything; before the model itself is freed."""
        self.forget()
        context, self._context = self._context, None
        if context:
            self._mtmd.mtmd_free(context)
