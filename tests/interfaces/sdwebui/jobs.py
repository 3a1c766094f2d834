"""The host's processing object, and the host's steps with it up to the sampling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from quillwork.interfaces.sdwebui.generation import apply, prepare


@dataclass
class Job:
    """The host's processing object as far as we use it, laid out as the hosts do."""

    prompt: Any = "a fox"
    negative_prompt: Any = ""
    batch_size: int = 1
    n_iter: int = 1
    seed: Any = 5
    subseed_strength: float = 0
    enable_hr: bool = False
    hr_prompt: Any = ""
    hr_negative_prompt: Any = ""
    extra_generation_params: dict = field(default_factory=dict)
    override_settings: dict = field(default_factory=dict)
    comments: list = field(default_factory=list)
    styles: list = field(default_factory=list)
    iteration: int = 0
    all_prompts: Any = None
    all_negative_prompts: Any = None
    all_hr_prompts: Any = None
    all_hr_negative_prompts: Any = None
    main_prompt: Any = None
    main_negative_prompt: Any = None

    def comment(self, text: str) -> None:
        self.comments.append(text)

    def init(self, *_: Any) -> None:
        pass

    def lay_out(self, before: str = "", after: str = "") -> None:
        """Lay out as the hosts do between the two moments; a style puts `before` and `after` around."""
        count = self.batch_size * self.n_iter

        def laid(text: Any) -> list:
            texts = list(text) if isinstance(text, list) else [text] * count
            return [f"{before}{one}{after}" for one in texts]

        self.all_prompts, self.all_negative_prompts = laid(self.prompt), laid(self.negative_prompt)
        if self.enable_hr:
            self.hr_prompt = self.hr_prompt or self.prompt
            self.hr_negative_prompt = self.hr_negative_prompt or self.negative_prompt
            self.all_hr_prompts, self.all_hr_negative_prompts = (
                laid(self.hr_prompt),
                laid(self.hr_negative_prompt),
            )
        self.main_prompt, self.main_negative_prompt = self.all_prompts[0], self.all_negative_prompts[0]


def generate(job: Job, *args: Any, before: str = "", after: str = "") -> Job:
    """Take a job through the host's steps up to the sampling. Raises what would end the generation."""
    prepare(job, args)
    list(job.override_settings.keys())
    job.lay_out(before, after)
    apply(job)
    job.init()
    return job
