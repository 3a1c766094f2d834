"""Encoding of messages by the model's own chat template, safe from control tokens in their texts.

A template marks roles with control tokens, and a tokenizer makes real ones of their names wherever it reads
them. So the template is filled with placeholders, and the texts come in afterwards: where one of them
would change which control tokens there are, it is tokenised apart from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ... import errors
from ...host import program
from ...remote.openai_format import chat_tools
from ...types import Image, Message, Reasoning, Tool
from .. import chat_template
from ..family_templates import template_for
from .loading.load import LoadedModel
from .prompt_cache import LONGEST, common
from .vision_encoder import EncodedImages, ImageProcessor


@dataclass(frozen=True)
class Prompt:
    """A prompt in token ids. The first `fixed` of them stand before the last message; `opens_thinking` is
    True when the last of them are an opening thinking tag; `seen` are the prompt's pictures."""

    ids: tuple[int, ...]
    fixed: int
    opens_thinking: bool
    seen: EncodedImages | None = None


class ChatFormat:
    """The chat format of one model. `stop_ids` end its turn, and so do `stop_texts` where there is no
    template with a token for that. `image_processor` is None for a model without vision."""

    def __init__(self, loaded: LoadedModel, image_processor: ImageProcessor | None = None) -> None:
        self._tokenizer = loaded.tokenizer
        self._image_processor = image_processor
        self._added = {
            index: token.content
            for index, token in loaded.tokenizer.added_tokens_decoder.items()
            if token.content.strip()
        }
        own = loaded.tokenizer.chat_template
        self._family_template = None if own else template_for(self._added.values()) or None
        self.has_template = bool(own or self._family_template)
        self._places = chat_template.places_of(self._added.values())
        self.special_ids = frozenset(loaded.tokenizer.all_special_ids)
        self.stop_texts: tuple[str, ...] = () if self.has_template else chat_template.PLAIN_STOPS
        self.stop_ids = self._find_stop_ids(loaded.model)

    def encode(
        self, messages: Sequence[Message], reasoning: Reasoning = "default", tools: Sequence[Tool] = ()
    ) -> Prompt:
        """Encode the prompt that asks for the next message. Raises `errors.LLMError` for a request that the
        model cannot take, such as pictures for a model without vision, or tools for one not trained to call
        them."""
        if not messages:
            raise errors.BadRequest("There is no message to answer.")
        apply = partial(self._apply, reasoning=reasoning, messages=messages, tools=tools)
        filled = chat_template.fill(messages, apply if self.has_template else None)
        chat_template.check_offer(filled, tools, "This local model")
        literals, order = filled.literals, filled.order
        ids = self._tokenise(literals, filled.texts)
        start = literals[0]
        for place, number in enumerate(order):
            if number == len(messages) - 1:
                break
            start += filled.texts[place] + literals[place + 1]
        fixed = min(common(ids, self._ids(start)), LONGEST)
        seen = self._encode([image for number in order for image in messages[number].images])
        if seen is not None and self._image_processor is not None:
            ids = self._image_processor.in_place(ids, seen)
        return Prompt(tuple(ids), min(fixed, len(ids) - 1), filled.opens_thinking, seen)

    def _encode(self, images: Sequence[Image]) -> EncodedImages | None:
        if not images:
            return None
        if self._image_processor is None:
            raise errors.CannotSee(
                "This local model does not support images.",
                hint="Remove the image, or choose a vision model.",
            )
        return self._image_processor.encode(images)

    def _apply(
        self,
        marked: Sequence[chat_template.Marked],
        reasoning: Reasoning,
        messages: Sequence[Message] = (),
        tools: Sequence[Tool] = (),
    ) -> str | None:
        """Apply the template; None where it refuses: some know no system message."""
        thinks = reasoning not in ("default", "off")
        variables = {"enable_thinking": thinks, "thinking": thinks}
        try:
            text: str = self._tokenizer.apply_chat_template(
                [{**one, "content": _content(one["content"], messages)} for one in marked],
                tools=chat_tools(tools) or None,
                chat_template=self._family_template,
                tokenize=False,
                add_generation_prompt=True,
                **variables,
                **({"reasoning_effort": reasoning} if thinks else {}),
            )
            return text
        except ImportError:
            raise errors.DependencyMissing(
                "Chat templates need the Python package jinja2, 3.1 or newer.",
                hint=f"Install it in {program()}'s Python environment.",
            ) from None
        except Exception:  # noqa: BLE001 - a template is a program of the model's maker
            return None

    def _tokenise(self, literals: Sequence[str], texts: Sequence[str]) -> list[int]:
        whole = literals[0] + "".join(
            text + literal for text, literal in zip(texts, literals[1:], strict=True)
        )
        ids = self._ids(whole)
        parts = [self._ids(literal) for literal in literals]
        if self._controls(ids) == [index for part in parts for index in self._controls(part)]:
            return ids
        ids = parts[0]
        for text, part in zip(texts, parts[1:], strict=True):
            ids = ids + self._harmless_ids(text) + part
        return ids

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False)["input_ids"] if text else []

    def _controls(self, ids: Sequence[int]) -> list[int]:
        return [index for index in ids if index in self._added]

    def _harmless_ids(self, text: str) -> list[int]:
        """Encode `text` in ordinary tokens alone, even where it spells the name of a control token."""
        ids: list[int] = []
        # Not every added token is special to the tokenizer, <think> for one: none survives being cut.
        for piece in chat_template.cut(text, self._places):
            ids += self._tokenizer(piece, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return [index for index in ids if index not in self._added]

    def _find_stop_ids(self, model: Any) -> frozenset[int]:
        stops: set[int] = set()
        configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
        for value in (configured, self._tokenizer.eos_token_id):
            stops.update(value if isinstance(value, (list, tuple)) else [value] if value is not None else [])
        if self.has_template:
            # Some models' settings name the document's end only: the template shows what follows an answer.
            first = self._ids(chat_template.after_an_answer(partial(self._apply, reasoning="off")))[:1]
            stops.update(index for index in first if index in self.special_ids)
        return frozenset(stops)


def _content(text: str, messages: Sequence[Message]) -> str | list[dict[str, str]]:
    """The content of a template's message: `text`, with places for its pictures.

    They are those of the `messages` whose marks it holds.
    """
    pictures = sum(len(messages[number].images) for number in chat_template.numbers_in(text) if messages)
    if not pictures:
        return text
    return [*([{"type": "image"}] * pictures), {"type": "text", "text": text}]
