"""Prompts as real models write them, scored by rules beside those of a plain sentence: sixty ideas.

    python benchmarks/prompt_craft.py --model FILE_OR_ID [--mode gguf] [--ideas 60] [--variations 1]
        [--targets flux1_dev,sdxl,illustrious,plain] [--manners ours,full,plain,file:PATH]
        [--official TARGET=FILE]
        [--keep FOLDER] [--max-tokens N] [--offline]

A manner is how the model is asked: `ours` as the product does for this model, `compact` and `full` the one or
the other of its two forms, `plain` one sentence, `file:PATH` the text of a file as the system message, or as
the user's where it has {idea} in it. --official adds such a file to one target alone: the instruction for
rewriting that the image model's authors publish, which is theirs and so no part of this repository. Without
--model nothing is run: a model takes minutes to hours.

Every answer is kept in the folder as it came, by what was asked of whom: a second run asks only what is new.
The model's own time is not measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from prompt_rules import SOURCES, UNUSABLE, differ, score
from setting import ROOT, load_pack, table

SEED = 7
PLAIN = "Write a prompt for an AI image generator from this idea. Answer with the prompt alone.\n\n{idea}"


# (manner, id of the target) -> what each answer scored.
Cell = tuple[str, str]
Scores = dict[Cell, list[dict[str, Any]]]


class Kept:
    """A model whose answers are kept in `folder`; it is opened when one is missing."""

    def __init__(self, choice: Any, folder: Path, max_tokens: int, offline: bool) -> None:
        from quillwork.config.opening import open_model

        self.model = open_model(choice)
        self.deployment = self.model.deployment
        self.folder, self.max_tokens, self.offline = folder, max_tokens, offline
        self.prompt_tokens: list[int] = []
        self.raw: list[str] = []

    async def ask(self, requests: Sequence[Any], shown: Any = None) -> list[Any]:
        return [await self._one(request) for request in requests]

    async def _one(self, request: Any) -> Any:
        from quillwork.llm_backends.errors import AnswerLoops, LLMError
        from quillwork.llm_backends.types import Result, Usage

        request = replace(request, max_tokens=min(request.max_tokens or self.max_tokens, self.max_tokens))
        asked = {
            "model": Path(self.deployment.model).name,
            "messages": [(message.role, message.content) for message in request.messages],
            "how": [request.opening, request.stop, request.seed, request.max_tokens, request.temperature],
            "extra": dict(request.extra),
        }
        key = hashlib.blake2b(json.dumps(asked).encode(), digest_size=12).hexdigest()
        file = self.folder / f"{key}.json"
        if not file.exists() and self.offline:
            raise LookupError(file)
        if not file.exists():
            (answer,) = await self.model.ask([request])
            if isinstance(answer, AnswerLoops):
                said: dict[str, Any] = {"loop": answer.text}
            elif isinstance(answer, LLMError):
                said = {"error": str(answer)}
            else:
                said = {"text": answer.text, "finish": answer.finish_reason, "usage": asdict(answer.usage)}
            file.write_text(
                json.dumps({"asked": asked, "answer": said}, ensure_ascii=False, indent=1), "utf-8"
            )
        said = json.loads(file.read_text("utf-8"))["answer"]
        if "error" in said:
            self.raw.append(f"[{said['error']}]")
            return LLMError(said["error"])
        if "loop" in said:
            self.raw.append(f"[a loop] {said['loop']}")
            return AnswerLoops.of(asked["model"], said["loop"])
        self.raw.append(said["text"])
        usage = Usage(**said["usage"])
        self.prompt_tokens.append(usage.prompt_tokens or 0)
        return Result(text=said["text"], finish_reason=said["finish"], usage=usage, model=asked["model"])


async def one(
    manner: str, idea: Mapping[str, Any], target: Any, model: Kept, variations: int
) -> list[tuple[str, str, list[str]]]:
    """Return (prompt, negative, warnings) of each variation of one idea."""
    from quillwork.llm_backends.errors import LLMError
    from quillwork.llm_backends.types import Message, Request
    from quillwork.prompting import enhance as enhancing
    from quillwork.prompting.answers.clean import read_answer
    from quillwork.prompting.enhance import Idea, enhance

    text = str(idea["idea"])
    if manner in ("ours", "compact", "full"):
        usual = enhancing.is_small
        if manner != "ours":
            enhancing.is_small = lambda _: manner == "compact"
        try:
            done = await enhance([Idea(text, target, variations=variations, seed=SEED)], model)  # type: ignore[arg-type]
        except LLMError as error:
            return [("", "", [str(error)])]
        finally:
            enhancing.is_small = usual
        return [
            (prompt, negative, done.info["warnings"])
            for prompt, negative in zip(done.prompts, done.negatives, strict=True)
        ]
    if manner == "plain":
        messages = (Message("user", PLAIN.format(idea=text)),)
    else:
        told = Path(manner.removeprefix("file:")).read_text("utf-8")
        messages = (
            (Message("user", told.replace("{idea}", text)),)
            if "{idea}" in told
            else (Message("system", told), Message("user", text))
        )
    found = []
    for number in range(variations):
        (answer,) = await model.ask([Request(messages, seed=SEED + number, max_tokens=2048)])
        try:
            if isinstance(answer, LLMError):
                raise answer
            found.append((*read_answer(answer.text, idea=text, form=target.form), []))
        except LLMError as error:
            found.append(("", "", [str(error)]))
    return found


def shown(
    prompt: str, negative: str, raw: Sequence[str], told: Sequence[str], found: Mapping[str, Any]
) -> str:
    """Return an answer as it is kept to be read: the prompt, the raw text, what was told, what is wrong."""
    wrong = [rule for rule, right in found.items() if right is False or (rule == "facts" and right < 1)]
    lines = [f"  → {prompt}", *([f"  − {negative}"] if negative else [])]
    lines += [f"  raw: {text!r}" for text in raw if text.strip() != prompt]
    lines += [f"  told: {sentence}" for sentence in told]
    lines += [f"  ! {', '.join(wrong)}"] if wrong else []
    return "\n".join(lines) + "\n\n"


def report(
    scores: Mapping[tuple[str, str], list[dict[str, Any]]],
    tokens: Mapping[tuple[str, str], list[int]],
    model: str,
) -> None:
    """Print the share of answers that each rule finds right, for each manner and target."""
    heads = list(scores)
    rows = []
    for rule in SOURCES:
        cells = []
        for head in heads:
            values = [float(each[rule]) for each in scores[head] if each[rule] is not None]
            cells.append(f"{sum(values) / len(values):.0%}" if values else "")
        rows.append([rule, *cells])
    usable = []
    for head in heads:
        bad = sum(any(each[rule] is False for rule in UNUSABLE) for each in scores[head])
        usable.append(f"{bad / len(scores[head]):.0%}")
    rows.append(["**unusable**", *usable])
    rows.append(
        [
            "told of (a warning or an error)",
            *(f"{sum(each['told'] for each in scores[head])}" for head in heads),
        ]
    )
    rows.append(
        ["prompt tokens", *(f"{sum(tokens[h]) / len(tokens[h]):.0f}" if tokens[h] else "" for h in heads)]
    )
    rows.append(["answers", *(str(len(scores[head])) for head in heads)])
    table(model, ["rule", *(f"{target}, {manner}" for manner, target in heads)], rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="")
    parser.add_argument("--mode", default="gguf")
    parser.add_argument("--targets", default="flux1_dev,sdxl,illustrious,plain")
    parser.add_argument("--manners", default="ours,plain")
    parser.add_argument("--official", action="append", default=[], metavar="TARGET=FILE")
    parser.add_argument("--ideas", default="60", help="how many, spread evenly, or numbers such as 1,5,9")
    parser.add_argument("--variations", type=int, default=1)
    parser.add_argument("--max-tokens", type=int, default=320)
    parser.add_argument("--offline", action="store_true", help="score what is kept, and ask nothing")
    parser.add_argument("--keep", type=Path, default=ROOT / ".bench" / "prompt_craft")
    given = parser.parse_args()
    if not given.model:
        print("No --model was given, so nothing was asked (python benchmarks/prompt_craft.py --help).")
        return 0
    load_pack()
    from quillwork.config.choice import Choice
    from quillwork.prompting.targets import load
    from quillwork.safe_yaml import read_yaml

    ideas: Any = read_yaml(Path(__file__).with_name("prompt_ideas.yaml"), 64 * 1024)
    if "," in given.ideas:
        ideas = [ideas[int(number)] for number in given.ideas.split(",")]
    else:
        count = min(int(given.ideas), len(ideas))
        ideas = [ideas[place * len(ideas) // count] for place in range(count)]
    given.keep.mkdir(parents=True, exist_ok=True)
    model = Kept(
        Choice(llm_mode=given.mode, llm_model=given.model, by_workflow=False),
        given.keep,
        given.max_tokens,
        given.offline,
    )
    scores: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    tokens: dict[tuple[str, str], list[int]] = defaultdict(list)
    official: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for target_id, _, file in (each.partition("=") for each in given.official):
        official[target_id].append(("official", f"file:{file}"))
    manners = re.sub(r"\W+", "-", given.manners)
    text_file = given.keep / f"{Path(given.model).stem} {manners}.txt"
    with text_file.open("w", encoding="utf-8") as texts:
        for target in map(load, given.targets.split(",")):
            examples = [example.prompt for example in target.examples]
            for manner, asked in [*((each, each) for each in given.manners.split(",")), *official[target.id]]:
                for idea in ideas:
                    model.raw, model.prompt_tokens = [], []
                    try:
                        answers = asyncio.run(one(asked, idea, target, model, given.variations))
                    except LookupError:
                        continue
                    tokens[manner, target.id] += model.prompt_tokens[:1]
                    apart = differ([prompt for prompt, _, _ in answers])
                    for prompt, negative, told in answers:
                        found: dict[str, Any] = score(idea, target, prompt, negative, examples)
                        found["variations differ"] = apart
                        texts.write(f"{target.id} · {manner} · {idea['idea']}\n")
                        texts.write(shown(prompt, negative, model.raw, told, found))
                        texts.flush()
                        scores[manner, target.id].append(found | {"told": bool(told)})
    report(scores, tokens, Path(given.model).name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
