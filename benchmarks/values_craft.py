"""Generate Variables with a small model: how many values come, distinct, on topic, in the name's language.

    python benchmarks/values_craft.py FILE.gguf [COUNT ...]

On topic is a value that holds one of the words below, which a person wrote; other good values are missed, so
the share is a lower bound. Without a file nothing is run: a model takes minutes to hours.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from setting import load_pack, table

TOPICS = {
    "season": "spring summer autumn fall winter monsoon rainy dry harvest solstice equinox thaw season",
    "animal": "fox owl cat dog wolf bear deer hare rabbit lion tiger elephant horse cow sheep goat "
    "pig bird eagle hawk fish shark whale dolphin snake frog turtle monkey ape giraffe "
    "zebra panda koala kangaroo penguin mouse rat squirrel duck goose swan bee butterfly "
    "crocodile leopard cheetah camel otter seal octopus",
    "hairstyle": "bob braid bun ponytail curl wave pixie bang fringe dreadlock afro mohawk undercut "
    "fade straight long short shag layer updo chignon plait pigtail buzz crew hair cut "
    "twist cornrow",
    "Farbe": "rot blau grün gelb schwarz weiß grau braun rosa lila violett orange türkis gold "
    "silber beige pink",
    "beruf": "arzt ärztin lehrer bäcker koch maler schmied pilot bauer tischler schreiner gärtner "
    "polizist anwalt ingenieur friseur verkäufer krankenschwester feuerwehr fischer "
    "schneider mechaniker architekt",
    "季节": "春 夏 秋 冬 雨季 旱季",
    "couleur": "rouge bleu vert jaune noir blanc gris brun rose violet orange turquoise doré argent "
    "beige marron",
    "lighting": "light lit sun moon shadow glow neon candle lamp dawn dusk golden backlight spot soft "
    "ambient rim",
}
SCRIPTS = {"季节": lambda value: any("\u4e00" <= letter <= "\u9fff" for letter in value)}


def main(file: str, counts: list[int]) -> None:
    load_pack()
    from quillwork.llm_backends.errors import LLMError
    from quillwork.llm_backends.model import Model
    from quillwork.llm_backends.runner import run_in_place
    from quillwork.llm_backends.types import Deployment
    from quillwork.prompting.generate_values import invent
    from quillwork.prompting.tasks import VariablesTask

    model = Model(Deployment("gguf", file, mode="gguf", provider="gguf"))
    rows = []
    for name, topic in TOPICS.items():
        for count in counts:
            began = time.monotonic()
            try:
                values = run_in_place(invent(VariablesTask(name, count, seed=1), model)).values
            except LLMError as error:
                values = []
                print(f"{name}: {error}", flush=True)
            words = topic.casefold().split()
            on_topic = sum(any(word in value.casefold() for word in words) for value in values)
            in_language = sum(map(SCRIPTS.get(name, bool), values))
            rows.append(
                [
                    name,
                    *map(str, (count, len(values), on_topic, in_language)),
                    f"{time.monotonic() - began:.0f} s",
                ]
            )
            print(name, count, values, flush=True)
    table("Generate Variables", ("name", "asked", "came", "on topic", "in its script", "time"), rows)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_file():
        sys.exit(__doc__)
    main(sys.argv[1], [int(count) for count in sys.argv[2:]] or [5, 20, 50])
