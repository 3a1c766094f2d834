"""Share of a real model's prompts that have the form of their target: every target, ideas of its kind.

    python benchmarks/target_forms.py --model FILE_OR_ID [--mode gguf] [--targets all|shaped|ID,ID]
        [--ideas 2] [--keep FOLDER] [--max-tokens N] [--offline]

The form holds where a prompt came, its parts, fields, shots and times are as the target wants them, its
sentences, phrases or tags are of its kind, its length and language are the target's, its pictures are named,
and it neither talks, loops, nor echoes our message. `shaped` are the targets with parts, a schema, shots or
references. Answers are kept as in prompt_craft.py; without --model nothing is run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prompt_craft import SEED, Kept
from prompt_rules import score
from setting import ROOT, load_pack, table

# By kind of target; `words` are those that the answer must have one of.
IDEAS: dict[str, list[dict[str, Any]]] = {
    "image": [
        {
            "idea": "a lighthouse keeper feeding gulls on a stormy morning",
            "keep": [["lighthouse"], ["gulls"]],
        },
        {
            "idea": "a glass greenhouse full of orchids at night",
            "keep": [["greenhouse"], ["orchids", "orchid"]],
        },
    ],
    "edit": [
        {"idea": "replace the sky with a starry night", "keep": [["sky"], ["starry", "stars", "star"]]},
        {"idea": "make the jacket red and leave everything else", "keep": [["jacket"], ["red"]]},
    ],
    "video": [
        {
            "idea": "a potter shapes a bowl, then glazes it, then opens the kiln",
            "keep": [["potter"], ["kiln"]],
        },
        {"idea": "a train crosses a bridge in the rain", "keep": [["train"], ["bridge"]]},
    ],
    "image_to_video": [
        {
            "idea": "she turns round and laughs",
            "keep": [["turns", "turn", "turning"], ["laughs", "laugh", "laughing"]],
        },
        {"idea": "the boat drifts slowly out of the harbour", "keep": [["boat"], ["harbour", "harbor"]]},
    ],
    "audio": [
        {"idea": "a slow folk song about leaving home, female voice, acoustic guitar", "keep": [["folk"]]},
        {"idea": "rainy night in a city, lo-fi beat, no vocals", "keep": [["lo-fi", "lofi", "lo"]]},
    ],
}
USABLE = ("answered", "no loop", "no talk", "no echo", "form", "language", "length")
SHAPED = "shaped"


def seconds_of(target: Any) -> float:
    """Return the length that is asked for: one that the target can have, where it says lengths."""
    return float(max(target.seconds[0], min(12, target.seconds[1]))) if target.seconds else 0.0


def wrong_with(idea: Mapping[str, Any], task: Any, prompt: str, negative: str) -> list[str]:
    """Return what is wrong with the form of a finished prompt, a few words each."""
    from quillwork.prompting.answers.shapes.shape import has_shape, prose_of, wrong
    from quillwork.prompting.briefs.references import unnamed

    target = task.target
    found = [reason] if (reason := wrong(prompt, task)) else []
    if task.brief.references and unnamed(target, task.brief.references, prompt):
        found.append("a picture without its name")
    judged = prose_of(prompt, target) if target.parts else prompt
    rules = score(idea, target, judged, negative, ())
    of_shape = {"form", "length"} if has_shape(target) or target.form in ("json", "sections") else set()
    if any("Instruction:" in rule for rule in target.rules):
        of_shape = of_shape | {"no echo"}  # It wants a label that our own messages have, too.
    return found + [rule for rule in USABLE if rules[rule] is False and rule not in of_shape]


async def one(idea: Mapping[str, Any], target: Any, model: Kept) -> tuple[str, list[str], list[str]]:
    """Return (prompt, what is wrong with its form, warnings)."""
    from quillwork.llm_backends.errors import LLMError
    from quillwork.prompting.enhance import Idea, enhance
    from quillwork.prompting.tasks import Brief, EnhanceTask, Reference

    count = 2 if target.references and target.references[1] > 1 else 1 if target.references else 0
    jobs = (Reference("subject"), Reference("style"))[:count]
    brief = Brief(duration=seconds_of(target), references=jobs)
    text = str(idea["idea"])
    try:
        done = await enhance([Idea(text, target, seed=SEED, brief=brief)], model)  # type: ignore[arg-type]
    except LLMError as error:
        return "", ["answered"], [str(error)]
    prompt, negative = done.prompts[0], done.negatives[0]
    bare = prompt.replace(target.prefix, "", 1) if target.prefix and target.parts else prompt
    task = EnhanceTask(text, target, brief=brief)
    return prompt, wrong_with(idea, task, bare, negative), done.info["warnings"]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="")
    parser.add_argument("--mode", default="gguf")
    parser.add_argument("--targets", default=SHAPED)
    parser.add_argument("--ideas", type=int, default=2)
    parser.add_argument("--max-tokens", type=int, default=900)
    parser.add_argument("--offline", action="store_true", help="judge what is kept, and ask nothing")
    parser.add_argument("--keep", type=Path, default=ROOT / ".bench" / "target_forms")
    given = parser.parse_args()
    if not given.model:
        print("No --model was given, so nothing was asked (python benchmarks/target_forms.py --help).")
        return 0
    load_pack()
    from quillwork.config.choice import Choice
    from quillwork.prompting.answers.shapes.shape import has_shape
    from quillwork.prompting.targets import index, load

    every = [load(entry.id) for entry in index()]
    chosen = every if given.targets == "all" else [target for target in every if has_shape(target)]
    if given.targets not in ("all", SHAPED):
        chosen = [load(name) for name in given.targets.split(",")]
    given.keep.mkdir(parents=True, exist_ok=True)
    choice = Choice(llm_mode=given.mode, llm_model=given.model, by_workflow=False)
    model = Kept(choice, given.keep, given.max_tokens, given.offline)
    rows, held, asked = [], 0, 0
    with (given.keep / f"{Path(given.model).stem}.txt").open("w", encoding="utf-8") as texts:
        for target in chosen:
            right, faults, told = [], [], 0
            for idea in IDEAS[target.kind][: given.ideas]:
                model.raw = []
                try:
                    prompt, wrong, warnings = asyncio.run(one(idea, target, model))
                except LookupError:
                    continue
                right.append(not wrong)
                faults += wrong
                told += bool(warnings)
                texts.write(f"{target.id} · {idea['idea']}\n  → {prompt}\n")
                texts.write("".join(f"  raw: {text!r}\n" for text in model.raw))
                texts.write("".join(f"  told: {sentence}\n" for sentence in warnings))
                texts.write(f"  ! {', '.join(wrong)}\n\n" if wrong else "\n")
                texts.flush()
            held, asked = held + sum(right), asked + len(right)
            if right:
                rows.append([target.id, f"{sum(right)} of {len(right)}", "; ".join(faults), str(told)])
                print(*rows[-1], sep=" | ", flush=True)
    rows.append(["**all**", f"{held} of {asked} ({held / asked:.0%})" if asked else "", "", ""])
    table(Path(given.model).name, ["target", "the form holds", "what was wrong", "told of"], rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
