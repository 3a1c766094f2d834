"""One variation of an idea on its way: what is asked, and what an answer comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..llm_backends.errors import AnswerLoops, EmptyAnswer, LLMError
from ..llm_backends.types import Deployment, Image, Request, Result
from .answers.clean import bare_so_far, read_answer
from .answers.facts.idea_tags import is_english
from .answers.facts.kept import brought_in, lost_facts, lost_lettering, with_lettering
from .answers.limits import Fault, Limits, size_of
from .answers.parts import parts_so_far, split_parts
from .answers.preview import preview
from .answers.prompt import MAX_TOKENS, SEEDS, answer_tokens, in_manner_of, read_prompt
from .answers.protect import Protected
from .answers.shapes import sections
from .answers.shapes.by_schema import is_strict, schema_of
from .answers.shapes.shape import (
    MUTE,
    forced,
    has_shape,
    lacks_words,
    mended,
    with_edges,
    with_words_of,
    wrong,
)
from .answers.terms import LISTS
from .compact import CLOSING, OPENING, compact_messages, once_more, without_negations
from .messages import enhance_messages, repair_messages
from .model_size import billions_of
from .phrasebook.language import language_of
from .small_models.begun import begun
from .small_models.doubts import doubts
from .small_models.mending import enough_tags, filled, strays, sure, tidied
from .small_models.parts import sure_parts
from .small_models.picture_words import strangest, unvouched
from .targets import Target, fit_negative
from .tasks import EnhanceTask

_UNLOOPED = "The model repeated itself at the end of its list; the repetitions were removed."
# Of these languages a word takes fewer than two tokens.
_DENSELY_READ = {"en"}
# Forms with a place for one more sentence or phrase.
_TAKES_LETTERING = ("prose", "phrases", "tags", "tags_and_prose")
# Smaller ones write of something else.
_TRANSLATES_FROM_BILLIONS = 1.0
_GUESSED = (
    "{} is too small a model to translate an idea reliably. Check that the prompt shows what you meant."
)
_NOT_TRANSLATED = (
    "{} is too small a model to translate an idea, so your own words were kept. Write the idea in English, "
    "or choose a larger model."
)
_FORM_GUESSED = "{} is too small a model to fill in such a form reliably. Check what it wrote into each part."
_UNVOUCHED = "{} is a very small model. Read the prompt before you use it: nothing shows that {} the idea."
_ENDS = (".", "!", "?")
# How a prompt goes on that has not spoken of this yet.
_FURTHER = {
    "image": (("background", "In the background,"), ("light", "The light")),
    "video": (
        ("camera", "The camera"),
        ("background", "In the background,"),
        ("foreground", "In the foreground,"),
        ("light", "The light"),
    ),
}
# Of the least that a target wants, so much before a loop is enough to be filled up.
_BEFORE_LOOP = 0.25
# Farther from a variation's seed than any other variation's.
_SEEDS_APART = 7919
_FILLED = "light, surroundings and framing were added from the phrasebook"
_ADDED = {
    "edit": "what stays as it is was added from the phrasebook",
    "image_to_video": "movement of the camera and of what is around was added from the phrasebook",
}
_REPLACED = "words that may not fit were left out"
_INSTEAD = "nothing in it could be used, so the phrasebook wrote the prompt"
_AGAIN = "it was asked for once more."
_MOST_NAMED, _LONGEST_QUOTE = 3, 70
_LEFT = "your own words were kept"
_SUNG = "The model wrote no words to sing, so the lyrics are the phrasebook's. Change them as you like."
_PHRASED = "Of the parts, these are the phrasebook's: {}. Change them as you like."
_PUT_IN = (
    "The model left out the lettering {0}, so it was put at the end. Check that it is where you want it."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """The texts of the parts as they were written, and the negative prompt."""

    texts: tuple[str, ...]
    negative: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One variation of one idea; `warnings` collects what the user should know about it.

    `is_for_small` says that a small model is asked, `is_for_tiny` that it is one of the smallest. With
    `is_glossed` the task has the idea in English, word by word.
    """

    task: EnhanceTask
    protected: Protected
    prompt: str
    pictures: tuple[Image, ...] = ()
    count_tokens: Callable[[str], int] | None = None
    is_for_small: bool = False
    is_for_tiny: bool = False
    is_glossed: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def target(self) -> Target:
        return self.task.target

    @property
    def own_words(self) -> str:
        """All that the user wrote: what an answer has of it is no talk of the model's."""
        return f"{self.task.prompt if self.is_glossed else self.prompt}\n{self.task.instruction}"

    @property
    def limits(self) -> Limits:
        return Limits(self.target, self.count_tokens)

    def shown(self, text: str) -> str:
        """Return what may be shown of an unfinished answer."""
        count = len(self.protected.written)
        parts = parts_so_far(bare_so_far(text))[:count] if count > 1 else [text]
        seen = (preview(part, self.target.form, self.own_words) for part in parts)
        return "\n\n".join(filter(None, seen))

    def request(self) -> Request:
        """Return the request for all parts at once."""
        return self._request(self.task)

    def requests_by_part(self) -> list[Request]:
        """Return a request for each part on its own."""
        parts = self.protected.parts
        return [self._request(replace(self.task, prompt=part, parts=())) for part in parts]

    @property
    def _excluded(self) -> list[str]:
        """The parts that code took out of the idea, because the model is a small one."""
        return without_negations(self.task)[1] if self._is_compact(self.task) else []

    def _is_compact(self, task: EnhanceTask) -> bool:
        """Tell whether text without a structure is asked for by examples, and looked through by code."""
        return self._shows_examples(task) and not task.target.is_structured

    def _shows_examples(self, task: EnhanceTask) -> bool:
        return self.is_for_small and bool(task.target.examples) and not self.pictures and len(task.parts) < 2

    def _request(self, task: EnhanceTask) -> Request:
        most = answer_tokens(self.target, task.parts or (task.prompt,))
        if self._is_compact(task):
            words = "" if task.instruction.strip() else begun(without_negations(task)[0], task.target)
            return Request(
                messages=compact_messages(task, self.protected.kept),
                max_tokens=MAX_TOKENS,
                # What is too much of a list is dropped, so it need not be waited for.
                answer_tokens=min(most, _compact_tokens(task)),
                seed=task.seed,
                task=task,
                opening=OPENING + words,
                # What goes on from the idea's own words is one line, save where shots follow.
                stop=(CLOSING, "\n") if words and not self.target.shot_label else (CLOSING,),
            )
        messages = (
            compact_messages(task, self.protected.kept)
            if self._shows_examples(task)
            else enhance_messages(task, self.protected.kept, self.pictures, as_json=self._asks_json)
        )
        return Request(
            messages=messages,
            schema=self._enforced,
            schema_name="prompt" if self._enforced else "answer",
            max_tokens=MAX_TOKENS,
            answer_tokens=most,
            seed=task.seed,
            task=task,
        )

    @property
    def _enforced(self) -> dict[str, Any] | None:
        """The schema that the answer is held to, None where there is none or it leaves something open."""
        if self._asks_json:
            return sections.schema_of(self.target.parts)
        schema = schema_of(self.target.schema) if self.target.schema and len(self.task.parts) < 2 else None
        return schema if schema is not None and is_strict(schema) else None

    @property
    def _asks_json(self) -> bool:
        """Tell whether the parts of a prompt are asked for as JSON: a small model loses their names else."""
        return self.is_for_small and bool(self.target.parts) and len(self.task.parts) < 2

    def read(self, answer: Result | LLMError, deployment: Deployment) -> Draft | LLMError | None:
        """Return what was written, the error that the answer amounts to, or None: its parts are not apart."""
        texts = (
            None if isinstance(answer, LLMError) else split_parts(answer.text, len(self.protected.written))
        )
        if isinstance(answer, AnswerLoops) and (unlooped := self._without_loop(answer)):
            return unlooped
        if isinstance(answer, LLMError) or texts is None:
            whole = read_prompt(answer, deployment, self.warnings, self.target, self.own_words)
            if isinstance(whole, EmptyAnswer) and self._is_filled_up:
                return Draft(("",))
            return whole if isinstance(whole, LLMError) else None
        return self.read_all([replace(answer, text=text) for text in texts], deployment)

    def read_all(self, answers: Sequence[Result | LLMError], deployment: Deployment) -> Draft | LLMError:
        """Return what was written in one answer for each part, or the first error."""
        texts, negatives = [], []
        for answer in answers:
            if isinstance(answer, Result) and answer.finish_reason == "length" and self._is_cut_at_will:
                whole = answer.text.rpartition(",")[0] if self._is_list else ""
                answer = replace(answer, text=whole or answer.text, finish_reason="stop")
            written = read_prompt(answer, deployment, self.warnings, self.target, self.own_words)
            if isinstance(written, EmptyAnswer) and self._is_filled_up:
                return Draft(("",))
            if isinstance(written, LLMError):
                return written
            texts.append(self._sifted(written[0]))
            negatives.append(written[1])
        if (
            self.is_for_tiny
            and self.target.form in ("json", "sections")
            and _FORM_GUESSED.format(deployment.name) not in self.warnings
        ):
            self.warnings.append(_FORM_GUESSED.format(deployment.name))
        guessed = _NOT_TRANSLATED if self._keeps_own_words else _GUESSED
        if self._is_guesswork(deployment) and guessed.format(deployment.name) not in self.warnings:
            self.warnings.append(guessed.format(deployment.name))
        if self._keeps_own_words:
            return Draft((self.task.prompt,))
        return Draft(tuple(texts), ", ".join(filter(None, dict.fromkeys(negatives))))

    def _is_guesswork(self, deployment: Deployment) -> bool:
        """Tell whether the idea has to be translated by a model that is too small for it."""
        size = billions_of(deployment)
        return size is not None and size < _TRANSLATES_FROM_BILLIONS and self._is_foreign

    @property
    def _keeps_own_words(self) -> bool:
        """Tell whether the idea would have to be translated by a model that only makes up another one."""
        return self.is_for_tiny and self._is_foreign

    @property
    def _is_foreign(self) -> bool:
        languages = self.target.languages
        if not self._is_compact(self.task):
            return False
        is_read = "any" in languages or language_of(self.task.prompt) in languages
        return not is_english(self.task.prompt) and not (is_read and set(languages) != {"en"})

    @property
    def _is_filled_up(self) -> bool:
        """Tell whether the phrasebook writes what a very small model does not."""
        is_compact = self.is_for_tiny and self._is_compact(self.task) and not self.target.shot_label
        return is_compact and not self._keeps_own_words and bool(self._filled(""))

    @property
    def _is_list(self) -> bool:
        return self._is_compact(self.task) and self.target.form in LISTS

    @property
    def _is_cut_at_will(self) -> bool:
        """Tell whether an answer was asked for with no more tokens than the target has use for."""
        return self._is_compact(self.task) and self.target.form in ("prose", *LISTS)

    def _sifted(self, text: str) -> str:
        if self.is_for_tiny and self.target.parts:
            whole, names = sure_parts(text, self.task)
            if names and _PHRASED.format(", ".join(names)) not in self.warnings:
                self.warnings.append(_PHRASED.format(", ".join(names)))
            return whole
        if not self._is_compact(self.task):
            return text
        idea, excluded = without_negations(self.task)
        return tidied(text, self.task, idea, excluded, self.own_words, is_tiny=self.is_for_tiny)

    def _without_loop(self, answer: AnswerLoops) -> Draft | None:
        """Return what stands before the loop of a list, where that is enough of one."""
        if not self._is_list or self.target.words is None:
            return None
        text = self._sifted(read_answer(answer.text, idea=self.own_words, form=self.target.form)[0])
        if size_of(self.target, text) < self.target.words[0] * _BEFORE_LOOP:
            return None
        self.warnings.append(_UNLOOPED)
        return Draft((text,))

    def faults(self, draft: Draft) -> dict[int, tuple[Fault, ...]]:
        """Return the faults of each part by its place; parts without any are left out."""
        if self._keeps_own_words:
            return {}
        has_instruction = bool(self.task.instruction.strip())
        ideas = self.protected.parts or ("",)
        found = {
            place: (
                *self.limits.faults(text, idea, has_instruction=has_instruction),
                *self._misshapes(text),
                *self._smallness(text, idea, has_instruction),
                *self._losses(text, idea, draft.negative, has_instruction),
            )
            for place, (text, idea) in enumerate(zip(draft.texts, ideas, strict=True))
        }
        unchanged = [any(fault.kind == "unchanged" for fault in faults) for faults in found.values()]
        if not all(unchanged):  # some part, such as "best quality", may well stand as it is
            found = {
                place: tuple(fault for fault in faults if fault.kind != "unchanged")
                for place, faults in found.items()
            }
        return {place: faults for place, faults in found.items() if faults}

    def _misshapes(self, text: str) -> Iterator[Fault]:
        """Yield a fault where the answer has not the shape that the target wants."""
        if has_shape(self.target) and (found := wrong(text, self.task)):
            yield Fault("shape", found)

    def _smallness(self, text: str, idea: str, has_instruction: bool) -> Iterator[Fault]:
        """Yield the faults of a part that small models alone are looked at for."""
        if not self._is_compact(self.task):
            return
        found = self.limits.thinness(text)
        if self.target.form == "any" and not has_instruction:
            found = strays(text, idea, self.target, is_tiny=self.is_for_tiny)
        if found:
            yield found
        wanted = "" if has_instruction else without_negations(self.task)[0]
        if against := doubts(text, wanted, self.target, self.own_words, is_tiny=self.is_for_tiny):
            yield Fault("nonsense", "; ".join(against), weight=len(against))

    def _losses(self, text: str, idea: str, negative: str, has_instruction: bool) -> Iterator[Fault]:
        """Yield the faults of a part that lacks facts of its `idea`, or shows what that excludes."""
        if self.target.kind == "image_to_video":
            return  # what the picture shows is not told again
        # An instruction may well change a number or a colour; lettering stays.
        lost = (
            [f"“{said}”" for said in lost_lettering(idea, text)]
            if has_instruction
            else lost_facts(idea, text, negative=negative)
        )
        if lost:
            yield Fault("lost", ", ".join(lost), weight=len(lost))
        is_drawn = self.target.kind != "edit" and self.target.form != "any"
        if is_drawn and (shown := brought_in(idea, text)):
            yield Fault("excluded", ", ".join(shown), weight=len(shown))

    def asks_again(self, draft: Draft, *, in_process: bool) -> bool:
        """Tell whether the model is to write `draft` again, since no code can mend it.

        One in this process keeps its user waiting as long as the first time: what is too long is cut instead.
        """
        faults = self.faults(self._mended(draft))
        kinds = {fault.kind for found in faults.values() for fault in found}
        if self.target.kind not in _FURTHER:
            kinds.discard("thin")  # a change, or what moves next, can be said in few words
        return bool(kinds - {"long"} if in_process else kinds)

    def completed(self, draft: Draft) -> Draft:
        """Return `draft` with what code can mend of it, and say so."""
        whole = self._mended(draft)
        kinds = {fault.kind: fault for found in self.faults(draft).values() for fault in found}
        mended = kinds.keys() - {fault.kind for found in self.faults(whole).values() for fault in found}
        said = [
            words
            for idea, text in zip(self.protected.parts or ("",), draft.texts, strict=True)
            for words in lost_lettering(idea, text)
        ]
        if "lost" in mended and said:
            self.warnings.append(_PUT_IN.format(", ".join(f"“{words}”" for words in said)))
        is_whole = self._vouched(draft.texts[0]) == draft.texts[0]
        added = _ADDED.get(self.target.kind, _FILLED)
        added = added if draft.texts[0].strip() else _INSTEAD
        remedies = {"thin": added if is_whole else f"{_REPLACED}, and {added}", "strayed": _LEFT}
        if self.target.form == "any" and "strayed" not in mended:
            remedies["nonsense"] = _LEFT
        for kind, remedy in remedies.items():
            if kind in mended and not (is_whole and self.limits.is_nearly_long(draft.texts[0])):
                self.warnings.append(self.limits.sentence(kinds[kind], remedy))
        return whole

    def _mended(self, draft: Draft) -> Draft:
        draft = self._with_lettering(draft)
        if has_shape(self.target):
            texts = tuple(mended(text, self.task, self.own_words) for text in draft.texts)
            draft = replace(draft, texts=texts)
        if not self._is_compact(self.task) or self.target.shot_label:
            return draft
        (text,) = draft.texts
        if self.target.form == "any" and any(
            self._smallness(text, self.task.prompt, bool(self.task.instruction.strip()))
        ):
            return replace(draft, texts=(self.task.prompt,))
        return replace(draft, texts=(self._filled(text),)) if self.limits.thinness(text) else draft

    def _filled(self, text: str) -> str:
        return filled(self._vouched(text), self.task, self.task.prompt)

    def _vouched(self, text: str) -> str:
        """Return a text that is to be filled up without what a very small model's words leave in doubt."""
        if not self.is_for_tiny:
            return text
        return sure(text, without_negations(self.task)[0], self.own_words, self.target)

    def _with_lettering(self, draft: Draft) -> Draft:
        if self.target.form not in _TAKES_LETTERING or self.target.kind == "image_to_video":
            return draft
        texts = [
            with_lettering(text, lost_lettering(idea, f"{text}\n{draft.negative}"), self.target.form)
            for idea, text in zip(self.protected.parts or ("",), draft.texts, strict=True)
        ]
        return replace(draft, texts=tuple(texts))

    def repair(self, draft: Draft) -> Request:
        """Return the request to write `draft` again without its faults."""
        asked, faults = self.request(), self.faults(draft)
        shown = repair_messages(asked.messages, draft.texts, faults)
        if not self._is_compact(self.task):
            return replace(asked, messages=shown)
        # A small model that is begun in the same way says the same with the same seed.
        asked = replace(asked, seed=(self.task.seed + _SEEDS_APART) % SEEDS)
        found = [fault for those in faults.values() for fault in those]
        if further := self._further(draft, {fault.kind for fault in found}):
            return replace(asked, messages=shown, opening=further)
        # It would only copy what it is shown.
        return replace(asked, messages=once_more(asked.messages, found))

    def _further(self, draft: Draft, kinds: set[str]) -> str:
        """Return an opening from which what is only too short goes on; "" where it cannot."""
        text = draft.texts[0].strip()
        if kinds != {"thin"} or self.target.form != "prose" or self.target.shot_label:
            return ""
        if language_of(text) != "en" or text[-1:] not in _ENDS:
            return ""
        said, ways = text.casefold(), _FURTHER.get(self.target.kind, ())
        return next((f"{OPENING}{text} {start}" for word, start in ways if word not in said), "")

    def better(self, draft: Draft, again: Draft | LLMError | None) -> Draft:
        """Return the one of two drafts that has fewer faults, the second of equal ones."""
        if isinstance(again, Draft) and _count(self.faults(again)) <= _count(self.faults(draft)):
            return replace(again, negative=again.negative or draft.negative)
        return draft

    def tell(self, before: Draft, after: Draft, *, asked: bool) -> None:
        """Add a warning for each fault of `before`, with what became of it in `after`."""
        left = {fault.kind: fault for faults in self.faults(after).values() for fault in faults}
        # `finished` has the phrasebook write them, and says so.
        reported = {fault.kind for fault in left.values() if fault.found == MUTE}
        for fault in (fault for faults in self.faults(before).values() for fault in faults):
            if fault.kind in reported:
                continue
            reported.add(fault.kind)
            if fault.kind not in left and not asked:
                continue  # `completed` says so
            if fault.kind not in left:
                remedy = _AGAIN.rstrip(".")
            else:
                fault = left[fault.kind]
                remedy = self.limits.remedy(fault)
                remedy = f"once more asked for, it was no better; {remedy}" if asked else remedy
            self.warnings.append(self.limits.sentence(fault, remedy))

    def tell_of_own_words(self, draft: Draft, deployment: Deployment) -> None:
        """Add a warning where words of a very small model's own stay in `draft` and none tells of them."""
        # See `strays`.
        is_corrected = self.target.form == "any" and self._is_compact(self.task) and not self.task.instruction
        if not self.is_for_tiny or is_corrected or any(map(_is_to_be_checked, self.warnings)):
            return
        texts = draft.texts
        if self._is_compact(self.task) and not self.target.shot_label and self.limits.thinness(texts[0]):
            texts = (self._vouched(texts[0]),)
        doubtful = [piece for text in texts for piece in unvouched(text, self.own_words, self.target)]
        if doubtful:
            self.warnings.append(
                _UNVOUCHED.format(deployment.name, _named(strangest(doubtful, self.own_words)))
            )

    def finished(self, draft: Draft, *, within_limits: bool = True) -> tuple[str, str]:
        """Return (prompt, negative) in the target's manner, with all that is the user's own in place."""
        limits = self.limits if within_limits else None
        if has_shape(self.target):
            texts = (forced(mended(text, self.task, self.own_words), self.task) for text in draft.texts)
            draft = replace(draft, texts=tuple(map(self._sung, texts)))
        edged = with_edges(self.target, draft.texts[0], self.task.brief.duration)
        prompt = in_manner_of(edged, draft.texts, self.protected, self.warnings, limits, self.own_words)
        negative = ", ".join(filter(None, [draft.negative, *self._excluded]))
        return prompt, fit_negative(self.target, self.prompt, negative)

    def _sung(self, text: str) -> str:
        """Return a piece for a voice without words with the phrasebook's."""
        from .phrasebook import write

        if not lacks_words(text, self.task):
            return text
        if _SUNG not in self.warnings:
            self.warnings.append(_SUNG)
        return with_words_of(text, write(self.task), self.target)


def _is_to_be_checked(warning: str) -> bool:
    """Tell whether a warning says that what a model wrote may be of no use."""
    is_open = "may be of no use" in warning and not warning.endswith(_AGAIN)
    return is_open or "is too small a model to" in warning


def _named(pieces: Sequence[str]) -> str:
    """Return the first of `pieces` in quotation marks, how many others there are, and the verb."""
    said = [f"“{_shortened(piece)}”" for piece in pieces[:_MOST_NAMED]]
    if more := len(pieces) - len(said):
        said.append(f"{more} more of its phrases")
    last = said.pop()
    return f"{', '.join(said)} and {last} fit" if said else f"{last} fits"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE].rpartition(' ')[0]} …"


def _count(faults: Mapping[int, Sequence[Fault]]) -> int:
    return sum(fault.weight for found in faults.values() for fault in found)


def _compact_tokens(task: EnhanceTask) -> int:
    """Return how many tokens a small model is given: what is too much of an answer is dropped."""
    target = task.target
    if target.words is None or not set(target.languages) <= _DENSELY_READ:
        return MAX_TOKENS
    if target.form == "tags":
        return 4 * (enough_tags(target, task.prompt) or 0) + 24
    return 2 * target.words[1] + 24
