"""A linear model over a request's features: trained by benchmarks/classifier.py, shipped as weights.json."""

import base64
import json
import math
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from orchestrator.classifying.classification import TYPES
from orchestrator.classifying.features import Features

BUCKETS = 1 << 13
"""Grams share this many weights; collisions cost nothing measurable from 4 096 on."""
_WIDTH = len(TYPES)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights of a multinomial logistic regression."""

    bias: tuple[float, ...]
    signs: Mapping[str, tuple[float, ...]]
    grams: "array[int]"
    """One byte a weight, a row of four for each bucket."""
    scale: float
    """What one step of such a byte is worth."""

    def predict(self, features: Features) -> tuple[float, ...]:
        """Compute how likely each of `TYPES` is; the temperature is already in the weights."""
        scores = list(self.bias)
        for name, value in features.signs.items():
            for kind, weight in enumerate(self.signs.get(name, ())):
                scores[kind] += value * weight
        for gram, value in features.grams.items():
            row = bucket(gram) * _WIDTH
            step = value * self.scale
            for kind, weight in enumerate(self.grams[row : row + _WIDTH]):
                scores[kind] += step * weight
        highest = max(scores)
        raised = [math.exp(score - highest) for score in scores]
        total = sum(raised)
        return tuple(one / total for one in raised)

    def telling(self, features: Features, kind: int) -> list[str]:
        """List the signs that speak for one of `TYPES`, the strongest first."""
        pushes = {
            name: value * self.signs[name][kind]
            for name, value in features.signs.items()
            if name in self.signs
        }
        return sorted((name for name in pushes if pushes[name] > 0), key=lambda name: -pushes[name])


def bucket(gram: str) -> int:
    """Choose the row of weights that a gram shares."""
    return zlib.crc32(gram.encode("utf-8", "surrogatepass")) & (BUCKETS - 1)


def parse_model(text: str) -> LinearModel:
    """Read a model as `write_model` wrote it."""
    told = json.loads(text)
    signs = {name: tuple(row) for name, row in told["signs"].items()}
    grams = array("b", base64.b64decode(told["grams"]))
    return LinearModel(tuple(told["bias"]), signs, grams, told["scale"])


def write_model(model: LinearModel, about: str) -> str:
    """Write a model as text, one sign a line, so that a new training shows as a small change."""
    told = {
        "about": about,
        "types": TYPES,
        "bias": [round(value, 4) for value in model.bias],
        "scale": model.scale,
        "signs": {},
        "grams": base64.b64encode(model.grams.tobytes()).decode(),
    }
    signs = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps([round(value, 4) for value in row])}"
        for name, row in sorted(model.signs.items())
    )
    return json.dumps(told, indent=1).replace('"signs": {}', f'"signs": {{\n{signs}\n }}') + "\n"


@cache
def packaged_model() -> LinearModel:
    """Load the model that ships with the package, once."""
    return parse_model(files(__package__).joinpath("weights.json").read_text(encoding="utf-8"))
