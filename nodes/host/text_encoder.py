"""ComfyUI's side of the mode host_encoder: a wired `clip` that writes text."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import comfy.model_management as model_management

from ...llm_backends import errors
from ...llm_backends.images import pixels_of
from ...llm_backends.local.host_encoder import chat_format
from ...llm_backends.local.host_encoder.chat_format import ChatStyle, ChatTokens, Token
from ...llm_backends.local.transformers_local.interrupts import checked_inside
from ...llm_backends.local.transformers_local.sampling import SamplingSettings
from ...llm_backends.types import Image, Message

# The causal mask grows with the square of the prompt: what lies beyond is for models with a server.
_LONGEST_CONTEXT = 32_768
_SMALLEST_CONTEXT = 4096
# The side in pixels of the square that becomes one token in Qwen3-VL and Qwen3.5.
_QWEN_SQUARE = 32


@dataclass(frozen=True)
class Family:
    """Family of text encoders that can write.

    Where `untied_from` is set, encoders of at least that width choose words by an output head of their own;
    narrower ones, and those of all other families, by their embeddings. `squares` is set where the model was
    trained on pictures squeezed into a square: ComfyUI would cut off what lies beside one.
    """

    name: str
    style: ChatStyle
    untied_from: int = 0
    squares: bool = False


# By the class of the encoder's transformer or one of its base classes; the first match counts.
_FAMILIES = {
    "comfy.text_encoders.llama.Qwen3_06B": Family("Qwen3 0.6B", chat_format.CHATML_THINKING),
    "comfy.text_encoders.llama.Qwen3_4B": Family("Qwen3 4B", chat_format.CHATML_THINKING),
    "comfy.text_encoders.llama.Qwen3_8B": Family("Qwen3 8B", chat_format.CHATML_THINKING, 4096),
    "comfy.text_encoders.qwen3vl.Qwen3VL": Family("Qwen3-VL", chat_format.CHATML_VISION, 4096),
    "comfy.text_encoders.qwen35.Qwen35": Family("Qwen3.5", chat_format.CHATML_THINKING_VISION, 4096),
    "comfy.text_encoders.llama.Gemma2_2B": Family("Gemma 2 2B", chat_format.GEMMA),
    "comfy.text_encoders.llama.Gemma3_4B": Family("Gemma 3 4B", chat_format.GEMMA),
    "comfy.text_encoders.llama.Gemma3_4B_Vision": Family(
        "Gemma 3 4B", chat_format.GEMMA_VISION, squares=True
    ),
    "comfy.text_encoders.llama.Gemma3_12B": Family("Gemma 3 12B", chat_format.GEMMA_VISION, squares=True),
    "comfy.text_encoders.gemma4.Gemma4Base": Family("Gemma 4", chat_format.GEMMA_4),
    "comfy.text_encoders.llama.Ministral3_3B": Family("Ministral 3 3B", chat_format.MISTRAL),
}
_THOSE_THAT_CAN = (
    "Supported encoders: Qwen3 (Z-Image, FLUX.2 Klein), Qwen3-VL (Krea 2, Boogu), Qwen3.5, Gemma 2 "
    "(Lumina 2), Gemma 3 and 4 (LTX-2) and Ministral 3 (ERNIE-Image). Connect one of them, or choose "
    "another llm_mode."
)


class TextEncoder:
    """Implementation of `host_encoder.GeneratingEncoder`.

    Raises `errors.NotConfigured` for a `clip` that cannot write.
    """

    def __init__(self, clip: Any) -> None:
        self._clip = clip
        self._key = _token_key(clip.cond_stage_model)
        transformer, family = find_writer(clip.cond_stage_model)
        tokenizer = _inner_tokenizer(clip.tokenizer, self._key)
        self._model, self._family = transformer.model, family
        self._eyes = _eyes(transformer)
        config = self._model.config
        self.name = family.name
        context = int(getattr(config, "max_position_embeddings", 0) or _SMALLEST_CONTEXT)
        self.context = min(context, _LONGEST_CONTEXT)
        self._tokens = ChatTokens(
            _style(family, tokenizer),
            _tokenise(tokenizer.tokenizer),
            lambda ids: tokenizer.tokenizer.decode(ids, skip_special_tokens=False),
            {name: index for index, name in tokenizer.inv_vocab.items()},
        )
        self.decode = self._tokens.decode
        self.sees = family.style.picture is not None and self._eyes is not None
        self.stop_ids = self._tokens.stop_ids | frozenset(getattr(config, "stop_tokens", ()))
        self.silent_ids = self._tokens.silent_ids

    def encode(self, messages: Sequence[Message], thinks: bool) -> tuple[list[Token], bool]:
        """Encode messages and their pictures; see `host_encoder.GeneratingEncoder`."""
        return self._tokens.encode(messages, thinks, self._look)

    def count(self, tokens: Sequence[Token]) -> int:
        """Count the model's tokens; see `host_encoder.GeneratingEncoder`."""
        return sum(_length(token, self._model.config) for token in tokens)

    def _look(self, image: Image) -> Token:
        """Have the encoder's own tokenizer make of `image` what it puts among the tokens."""
        import torch

        picture = pixels_of(image)
        if self._family.squares:
            picture = picture.resize((max(picture.size),) * 2)
        data = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        tensor = data.reshape(1, picture.height, picture.width, 3).float() / 255
        style = self._family.style
        assert style.picture is not None
        try:
            rows = self._clip.tokenize(
                style.user[0] + style.picture[1], image=tensor, skip_template=True, min_length=1
            )
            batches = rows.values() if isinstance(rows, Mapping) else [rows]
            return next(
                token for batch in batches for row in batch for token, *_ in row if isinstance(token, Mapping)
            )
        except Exception as error:  # noqa: BLE001 - an older ComfyUI's tokenizers take none
            raise errors.CannotSee(
                f"ComfyUI could not pass the image to the text encoder {self.name} ({type(error).__name__}).",
                hint="Update ComfyUI, choose a vision model in another llm_mode, or remove the image.",
            ) from None

    def generate(
        self,
        ids: Sequence[Token],
        settings: SamplingSettings,
        seed: int,
        budget: int,
        on_token: Callable[[int], None],
        check: Callable[[], None],
    ) -> None:
        """Write the answer token by token; see `host_encoder.GeneratingEncoder`."""
        rows = [[(index, 1.0) for index in ids]]
        with contextlib.ExitStack() as prefill:
            prefill.enter_context(checked_inside(self._model, (len(self._model.layers),), check))
            if self._eyes is not None and not all(isinstance(index, int) for index in ids):
                prefill.enter_context(checked_inside(self._eyes, (_depth(self._eyes),), check))

            def came(token: int) -> None:
                prefill.close()  # a step is short, so the check comes after each one
                on_token(token)

            stops = _Stops(self.stop_ids, came)
            try:
                with _listening(self._model.config, stops):
                    all_ids = self._clip.generate(
                        {self._key: rows} if self._key else rows,
                        do_sample=settings.temperature > 0,
                        max_length=budget,
                        temperature=settings.temperature or 1.0,
                        top_k=settings.top_k,
                        top_p=settings.top_p,
                        min_p=settings.min_p,
                        repetition_penalty=settings.repetition_penalty,
                        seed=seed,
                    )
            except (errors.LLMError, errors.Cancelled, model_management.InterruptProcessingException):
                raise
            except model_management.OOM_EXCEPTION:
                model_management.soft_empty_cache()
                raise errors.BackendUnavailable(
                    f"There is not enough memory to generate text with the text encoder {self.name}.",
                    hint="Unload other models, shorten the prompt, or lower max_tokens on LLM Settings.",
                ) from None
            except Exception as error:  # noqa: BLE001 - an encoder may be any pack's and break anyhow
                raise errors.BackendUnavailable(
                    f"The text encoder {self.name} failed while generating text ({type(error).__name__}: "
                    f"{error}).",
                    hint="Update ComfyUI, load the encoder from another file, or choose another llm_mode.",
                ) from None
        for token in all_ids[stops.heard :]:
            on_token(int(token))


class _Stops(Container[int]):
    """Stop tokens that report every token as it comes, because ComfyUI looks each one up among them."""

    def __init__(self, stop_ids: frozenset[int], on_token: Callable[[int], None]) -> None:
        self._stop_ids, self._on_token = stop_ids, on_token
        self.heard = 0

    def __contains__(self, token: object) -> bool:
        assert isinstance(token, int)
        self.heard += 1
        self._on_token(token)
        return token in self._stop_ids


@contextlib.contextmanager
def _listening(config: Any, stops: _Stops) -> Iterator[None]:
    """Put `stops` in the place of the model's own stop tokens, some of which miss the end of a turn.

    Gemma 3 12B passes its own at each call: then no token is reported before the end, and nothing is lost.
    """
    own = vars(config).get("stop_tokens")
    config.stop_tokens = stops
    try:
        yield
    finally:
        if own is None:
            del config.stop_tokens
        else:
            config.stop_tokens = own


def _token_key(encoder: Any) -> str:
    """Return the name under which the encoder looks for its tokens; empty where it takes them bare."""
    return str(getattr(encoder, "text_encoder_key", "") or getattr(encoder, "clip_name", ""))


def _inner_tokenizer(tokenizer: Any, key: str) -> Any:
    """Return the encoder's own tokenizer within `tokenizer`; some hold others, too, under other names."""
    names = (str(getattr(tokenizer, "clip", "")), key)
    return next((getattr(tokenizer, name) for name in names if hasattr(tokenizer, name)), tokenizer)


def find_writer(encoder: Any) -> tuple[Any, Family]:
    """Return the transformer that ``clip.generate`` writes with, and its family. Raises `NotConfigured`."""
    if hasattr(encoder, "generate"):
        for module in encoder.modules():
            transformer = getattr(module, "transformer", None)
            family = _family(type(transformer))
            if transformer is None or family is None or not hasattr(transformer, "generate"):
                continue
            if not _chooses_words(transformer.model, family):
                raise _cannot(
                    f"ComfyUI loads this {family.name} without the output head that it needs to generate text"
                )
            return transformer, family
    name = next(
        (type(module.transformer).__name__ for module in encoder.modules() if hasattr(module, "transformer")),
        type(encoder).__name__,
    )
    raise _cannot(f"The connected text encoder ({name.strip('_')}) cannot generate text in ComfyUI")


def _family(kind: type) -> Family | None:
    paths = (f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)
    return next((_FAMILIES[path] for path in paths if path in _FAMILIES), None)


def _chooses_words(model: Any, family: Family) -> bool:
    """Tell whether the last layer's output leads to the vocabulary that the model was trained on."""
    if getattr(model, "norm", None) is None:
        return False
    if not family.untied_from or model.config.hidden_size < family.untied_from:
        return True
    weight = getattr(getattr(model, "lm_head", None), "weight", None)
    return weight is not None and _is_filled(weight)


def _is_filled(weight: Any) -> bool:
    """Tell whether `weight` came out of a file: one that the file lacks is created all the same, and left
    empty."""
    try:
        return bool(weight.flatten()[: 2**16].float().any())
    except (RuntimeError, NotImplementedError, TypeError):  # a quantised one came out of a file
        return True


def _eyes(transformer: Any) -> Any:
    """Return the part of the transformer that looks at pictures; None where its file brought none."""
    part = getattr(transformer, "visual", None) or getattr(transformer, "vision_model", None)
    if part is None or not hasattr(transformer, "preprocess_embed"):
        return None
    weight = next((each for each in part.parameters() if each.dim() > 1), None)
    return part if weight is not None and _is_filled(weight) else None


def _depth(part: Any) -> int:
    from torch.nn import ModuleList

    return max((len(module) for module in part.modules() if isinstance(module, ModuleList)), default=0)


def _length(token: Token, config: Any) -> int:
    """Count the model's tokens that `token` becomes; of a picture, the most that it may become."""
    if isinstance(token, int):
        return 1
    most = token.get("max_soft_tokens") or getattr(config, "mm_tokens_per_image", 0)
    if most:
        return int(most)
    height, width = map(int, token["data"].shape[1:3])
    return (-(-height // _QWEN_SQUARE)) * (-(-width // _QWEN_SQUARE))


def _cannot(reason: str) -> errors.NotConfigured:
    return errors.NotConfigured(f"{reason}.", hint=_THOSE_THAT_CAN)


def _style(family: Family, tokenizer: Any) -> ChatStyle:
    if family.style is chat_format.GEMMA_4 and getattr(tokenizer, "prime_empty_thought", False):
        return chat_format.GEMMA_4_LARGE
    return family.style


def _tokenise(raw: Any) -> Callable[[str], list[int]]:
    """Return the token ids of a text without those that the tokenizer puts before every text."""
    before = len(raw("")["input_ids"])
    return lambda text: list(raw(text)["input_ids"][before:])
