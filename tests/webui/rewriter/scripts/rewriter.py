"""An extension that rewrites prompts as Dynamic Prompts does: all images' texts out of the first one's."""

import itertools
import re

import gradio as gr
import modules.scripts as scripts

_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
# A wildcard whose values are taken in turn, of those that only this extension has.
_IN_TURN = re.compile(r"__@(\w+)__")
_WILDCARDS = {"daytime": ("day", "night"), "looks": ("ugly", "plain")}


class Rewriter(scripts.Script):
    def title(self):
        return "Dynamic Prompts v0"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        enabled = gr.Checkbox(label="Dynamic Prompts enabled", value=True, elem_id=self.elem_id("enabled"))
        every = gr.Checkbox(label="Combinatorial generation", value=False, elem_id=self.elem_id("every"))
        return [enabled, every]

    def process(self, p, is_enabled, is_combinatorial):
        if not is_enabled:
            return
        template, negative = p.all_prompts[0], p.all_negative_prompts[0]
        count = len(_every(template)) if is_combinatorial else p.n_iter * p.batch_size
        p.all_seeds = [p.all_seeds[0] + place for place in range(count)]
        p.all_subseeds = [p.all_subseeds[0]] * count
        p.all_prompts = [_one(template, seed, turn) for turn, seed in enumerate(p.all_seeds)]
        if is_combinatorial:
            p.all_prompts = _every(template)
        p.all_negative_prompts = [_one(negative, seed, turn) for turn, seed in enumerate(p.all_seeds)]
        if p.all_hr_prompts:
            follows = p.all_hr_prompts[0] == template
            p.all_hr_prompts = p.all_prompts if follows else [p.all_hr_prompts[0]] * count
        p.n_iter = -(-count // p.batch_size)
        p.prompt = template


def _one(template, seed, turn):
    """The choices by a seed and the wildcards by the turn, with a mark that no other resolver makes."""

    def chosen(options, number):
        return f"<{options[number % len(options)]}>"

    taken = _IN_TURN.sub(lambda found: chosen(_WILDCARDS[found[1]], turn), template)
    return _CHOICE.sub(lambda found: chosen(found[1].split("|"), seed), taken)


def _every(template):
    pieces = _CHOICE.split(template)
    choices = [piece.split("|") if place % 2 else [piece] for place, piece in enumerate(pieces)]
    return ["".join(one) for one in itertools.product(*choices)]
