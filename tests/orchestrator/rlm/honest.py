"""A model for tests that reads nothing but its prompt, and how it is asked."""

import json
import re
from dataclasses import dataclass, field

import anyio

from backends.backend import Completion, Usage
from orchestrator.rlm.analyse import analyse
from orchestrator.rlm.analysis import AnalysisLimits, Question
from orchestrator.rlm.sources import Source

FACT = re.compile(r"The code of (\w+) is (\d+)\.")
DOCUMENTS = re.compile(r"<document-(\w+)>.*?\n(.*?)\n</document-\1>", re.DOTALL)
SMALL = AnalysisLimits(context_tokens=4096, leaf_tokens=500, parallel=3)
LIST_SCHEMA = {"type": "array", "items": {"type": "string"}}


def book(facts, filler=40):
    line = "Nothing of interest happened on this day in the long winter of the north.\n"
    return "\n".join(
        line * filler + f"The code of person{number} is {7000 + number}.\n" for number in range(facts)
    )


def long_fact(number):
    return f"The code of someone_with_a_rather_long_name_{number} is {number}.\n" * 2


def reply(**value):
    return Completion(json.dumps(value), "honest", "stop", Usage(tokens_in=100, tokens_out=10))


@dataclass
class HonestModel:
    """Reads nothing but the prompt: answers with the facts that stand in it, and quotes them."""

    prompts: dict[str, str] = field(default_factory=dict)
    schema: object = None

    async def __call__(self, step_key, prompt, schema, /):
        await anyio.lowlevel.checkpoint()
        assert step_key not in self.prompts
        self.prompts[step_key] = prompt
        return self.answer(step_key.split("/")[0], prompt)

    def answer(self, kind, prompt):
        shown = (
            "".join(text for _, text in DOCUMENTS.findall(prompt)) if kind in {"read", "direct"} else prompt
        )
        facts = list(dict.fromkeys(match[0] for match in FACT.finditer(shown)))
        told = " ".join(facts)
        if kind == "read":
            return reply(relevant=bool(facts), notes=told, quotes=facts)
        if kind == "merge":
            return reply(notes=told, quotes=facts)
        return reply(answer=facts if self.schema else told, quotes=facts)

    def steps(self, kind):
        return [step for step in self.prompts if step.startswith(kind)]


async def ignore(progress):
    pass


def question(*texts, **more):
    sources = tuple(Source(f"{number}.txt", text) for number, text in enumerate(texts))
    return Question("What are the codes?", sources, **more)


async def ask_about(asked, model, limits=SMALL):
    with anyio.fail_after(20):
        return await analyse(asked, model, limits, on_progress=ignore)
