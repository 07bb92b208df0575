"""Train the classifier's linear model, and say how well it judges requests that it was not trained on.

The report holds labelled requests against the whole of `classify`: folds drawn at random within each label,
and whole projects left out (each large one alone). Regularisation and temperature are chosen inside each
training part. The requests of chat_requests.txt, written for this project, join every training part and are
never counted in those figures; the last row judges them, a tenth left out in turn.

Rules and hints were written with this half of the data in view, so judge them on the half that is kept apart:
`--judge FILE` holds the packaged model against other labelled requests.

Needs numpy (not a dependency of the product).

Usage: python benchmarks/classifier.py [DATA] [--seeds N] [--write] [--judge FILE]
DATA: a folder with open/requests.jsonl
"""

import argparse
import itertools
import json
import re
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figures import spread_ms, table

import orchestrator.classifying
from orchestrator.classify import classify
from orchestrator.classifying.classification import TYPES, Classification, type_index
from orchestrator.classifying.features import Features, read_features, split_title
from orchestrator.classifying.model import BUCKETS, LinearModel, bucket, write_model

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "shared" / "data"
REQUESTS = Path("open") / "requests.jsonl"
WEIGHTS = Path(orchestrator.classifying.__file__).with_name("weights.json")
LABELS = ("quick_edit", "standard_development", "complex_architecture", "critical")
STRENGTHS = (0.5, 1.0, 2.0)
TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5)
FOLDS = 10
HEAD = ("left out", "n", "right", "within one", "macro F1", "ECE", "complexity off by")
INNER_FOLDS = 5
LARGE = 20
STEPS = 150


@dataclass(frozen=True, slots=True)
class Example:
    """A request of which the type is known."""

    text: str
    kind: int
    project: str
    complexity: float
    is_chat: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights before they are packed: a column a type."""

    weights: np.ndarray
    bias: np.ndarray


class Space:
    """Requests as rows: signs first, then buckets of grams."""

    def __init__(self, examples: Sequence[Example]):
        self.features = [read_features(*split_title(example.text)) for example in examples]
        self.signs = sorted({name for one in self.features for name in one.signs})
        self.rows = np.array([self._row(one) for one in self.features])

    def _row(self, features: Features) -> np.ndarray:
        row = np.zeros(len(self.signs) + BUCKETS)
        row[: len(self.signs)] = [features.signs.get(name, 0.0) for name in self.signs]
        for gram, value in features.grams.items():
            row[len(self.signs) + bucket(gram)] += value
        return row

    def pack(self, fitted: Fitted, temperature: float) -> LinearModel:
        """Make the model that ships: the temperature worked in, grams rounded to a byte each."""
        weights, bias = fitted.weights / temperature, fitted.bias / temperature
        grams = weights[len(self.signs) :]
        scale = float(abs(grams).max()) / 127
        packed = array("b", np.round(grams / scale).astype(np.int8).tobytes())
        signs = {name: tuple(map(float, weights[number])) for number, name in enumerate(self.signs)}
        return LinearModel(tuple(map(float, bias)), signs, packed, scale)


def read_requests(path: Path) -> list[Example]:
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Example(
            one["text"], LABELS.index(one["label"]), re.split(r"[@:]", one["source"])[0], one["complexity"]
        )
        for one in told
    ]


def read_examples(data: Path) -> list[Example]:
    examples = read_requests(data / REQUESTS)
    for line in (HERE / "chat_requests.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, _, text = line.partition(" | ")
            text = text.replace("\\n", "\n")
            examples.append(Example(text, TYPES.index(kind), "chat", float("nan"), is_chat=True))
    return examples


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def fit(rows: np.ndarray, kinds: np.ndarray, strengths: Sequence[float]) -> list[Fitted]:
    """Fit softmax regressions with an L2 penalty, one a strength, by Nesterov's accelerated gradient.

    The weights lie in the span of the examples, so the descent runs in their principal axes.
    """
    mean = rows.mean(axis=0)
    centred = rows - mean
    spread, axes = np.linalg.eigh(centred @ centred.T)
    kept = spread > 1e-9 * spread[-1]
    roots = np.sqrt(spread[kept])
    points, back = axes[:, kept] * roots, centred.T @ (axes[:, kept] / roots)
    wanted = np.eye(len(TYPES))[kinds]
    results = []
    for strength in strengths:
        inner, bias = _descend(points, wanted, strength)
        weights = back @ inner
        results.append(Fitted(weights, bias - mean @ weights))
    return results


def _descend(points: np.ndarray, wanted: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    count = len(points)
    step = 1 / max(0.5, 0.5 * (points**2).sum(axis=0).max() / count + strength / count)
    now, bias = np.zeros((points.shape[1], len(TYPES))), np.log(wanted.mean(axis=0) + 1e-9)
    ahead, bias_ahead, pace = now, bias, 1.0
    for _ in range(STEPS):
        wrong = softmax(points @ ahead + bias_ahead) - wanted
        new = ahead - step * (points.T @ wrong / count + strength / count * ahead)
        new_bias = bias_ahead - step * wrong.mean(axis=0)
        new_pace = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        drive = (pace - 1) / new_pace
        ahead, bias_ahead = new + drive * (new - now), new_bias + drive * (new_bias - bias)
        now, bias, pace = new, new_bias, new_pace
    return now, bias


def train(space: Space, kinds: np.ndarray, chosen: np.ndarray) -> tuple[LinearModel, float, float]:
    """Choose strength and temperature by inner folds of `chosen`, then fit all of it."""
    rows, known = space.rows[chosen], kinds[chosen]
    fold = spread_folds(known, INNER_FOLDS, np.random.default_rng(0))
    scores = np.zeros((len(STRENGTHS), len(known), len(TYPES)))
    for number in range(INNER_FOLDS):
        out = fold == number
        for place, fitted in enumerate(fit(rows[~out], known[~out], STRENGTHS)):
            scores[place, out] = rows[out] @ fitted.weights + fitted.bias
    losses = {
        (place, temperature): -np.log(
            softmax(one / temperature)[np.arange(len(known)), known].clip(1e-9)
        ).mean()
        for place, one in enumerate(scores)
        for temperature in TEMPERATURES
    }
    place, temperature = min(losses, key=lambda pair: losses[pair])
    (fitted,) = fit(rows, known, [STRENGTHS[place]])
    return space.pack(fitted, temperature), STRENGTHS[place], temperature


def spread_folds(kinds: np.ndarray, folds: int, draw: np.random.Generator) -> np.ndarray:
    fold = np.zeros(len(kinds), dtype=int)
    for kind in set(kinds.tolist()):
        places = np.flatnonzero(kinds == kind)
        draw.shuffle(places)
        fold[places] = np.arange(len(places)) % folds
    return fold


def project_folds(examples: Sequence[Example]) -> np.ndarray:
    """Spread whole projects over folds: each large one alone, the small ones together in five."""
    sizes = Counter(example.project for example in examples)
    large = sorted(project for project, size in sizes.items() if size >= LARGE)
    small = sorted(project for project, size in sizes.items() if size < LARGE)
    fold = {project: number for number, project in enumerate(large)}
    fold |= {project: len(large) + number % 5 for number, project in enumerate(small)}
    return np.array([fold[example.project] for example in examples])


def judge(
    space: Space, examples: Sequence[Example], fold: np.ndarray, always: np.ndarray
) -> list[Classification]:
    """Classify each example with a model that saw neither it nor its fold, but `always`."""
    kinds = np.array([example.kind for example in examples])
    judged: dict[int, Classification] = {}
    for number in sorted(set(fold[fold >= 0].tolist())):
        model, _, _ = train(space, kinds, np.flatnonzero((fold != number) & ((fold >= 0) | always)))
        for place in np.flatnonzero(fold == number).tolist():
            judged[place] = classify(examples[place].text, model=model)
    return [judged[place] for place in sorted(judged)]


@dataclass(frozen=True, slots=True)
class Score:
    """What came out of one way of leaving out."""

    confusion: np.ndarray
    confidences: np.ndarray
    right: np.ndarray
    distance: float

    def accuracy(self) -> float:
        return float(self.right.mean())

    def within_one(self) -> float:
        near = abs(np.subtract.outer(np.arange(len(TYPES)), np.arange(len(TYPES)))) <= 1
        return float(self.confusion[near].sum() / self.confusion.sum())

    def macro_f1(self) -> float:
        hits = np.diag(self.confusion)
        return float(np.mean(2 * hits / (self.confusion.sum(axis=0) + self.confusion.sum(axis=1)).clip(1)))

    def bins(self) -> list[tuple[str, int, float, float]]:
        edges = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 1.01)
        found = []
        for low, high in itertools.pairwise(edges):
            inside = (self.confidences >= low) & (self.confidences < high)
            if inside.any():
                mean = float(self.confidences[inside].mean())
                found.append(
                    (f"{low}-{min(high, 1.0)}", int(inside.sum()), mean, float(self.right[inside].mean()))
                )
        return found

    def ece(self) -> float:
        return sum(count * abs(said - was) for _, count, said, was in self.bins()) / len(self.right)


def score(examples: Sequence[Example], judged: Sequence[Classification]) -> Score:
    confusion = np.zeros((len(TYPES), len(TYPES)), dtype=int)
    for example, one in zip(examples, judged, strict=True):
        confusion[example.kind, type_index(one.complexity)] += 1
    right = np.array(
        [example.kind == type_index(one.complexity) for example, one in zip(examples, judged, strict=True)]
    )
    distance = [
        abs(example.complexity - one.complexity) for example, one in zip(examples, judged, strict=True)
    ]
    return Score(confusion, np.array([one.confidence for one in judged]), right, float(np.mean(distance)))


def tell(name: str, one: Score) -> tuple[str, ...]:
    shares = (one.accuracy(), one.within_one(), one.macro_f1(), one.ece())
    distance = "" if np.isnan(one.distance) else f"{one.distance:.2f}"
    return (name, str(len(one.right)), *(f"{share:.3f}" for share in shares), distance)


def report(examples: Sequence[Example], space: Space, seeds: int) -> None:
    kinds = np.array([example.kind for example in examples])
    chat = np.array([example.is_chat for example in examples])
    real, written = np.flatnonzero(~chat), np.flatnonzero(chat)
    rows, first = [], None
    for seed in range(seeds):
        fold = np.full(len(examples), -1)
        fold[real] = spread_folds(kinds[real], FOLDS, np.random.default_rng(seed))
        one = score([examples[place] for place in real], judge(space, examples, fold, chat))
        rows.append(tell(f"random folds, seed {seed}", one))
        first = first or one
    fold = np.full(len(examples), -1)
    fold[real] = project_folds([examples[place] for place in real])
    judged = judge(space, examples, fold, chat)
    projects = score([examples[place] for place in real], judged)
    rows.append(tell("projects left out", projects))
    sizes = Counter(examples[place].project for place in real)
    for project in sorted(name for name, size in sizes.items() if size >= LARGE):
        pairs = [(examples[place], one) for place, one in zip(real, judged, strict=True)]
        mine = [(example, one) for example, one in pairs if example.project == project]
        rows.append(tell(f"  {project}", score([one for one, _ in mine], [one for _, one in mine])))
    fold = np.full(len(examples), -1)
    fold[written] = spread_folds(kinds[written], FOLDS, np.random.default_rng(0))
    rows.append(
        tell(
            "chat requests",
            score([examples[place] for place in written], judge(space, examples, fold, ~chat)),
        )
    )
    print(table(HEAD, rows))
    for name, one in (("random folds, seed 0", first), ("projects left out", projects)):
        if one is not None:
            print(f"\n{name}: rows are labels, columns what was said\n")
            print(
                table(
                    ("", *TYPES),
                    [(kind, *row) for kind, row in zip(TYPES, one.confusion.tolist(), strict=True)],
                )
            )
            print()
            bins = [(span, count, f"{said:.2f}", f"{was:.2f}") for span, count, said, was in one.bins()]
            print(table(("confidence", "n", "said", "right"), bins))


def time_it() -> None:
    short = "Add an option to the build command so that it prints which files it skipped and why it did that"
    long = (
        "The handler in src/main.py drops answers\n" + "all is well with item 17 and its friends. " * 125_000
    )
    for name, text in (("20 words", short), ("5 MB", long)):
        classify(text)
        seconds = []
        for _ in range(200):
            start = time.perf_counter()
            classify(text)
            seconds.append(time.perf_counter() - start)
        print(f"{name}: p50 and p95 of {' and '.join(spread_ms(seconds))} ms")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument(
        "--seeds", type=int, default=3, help="how many drawings of random folds (0: no report)"
    )
    parser.add_argument("--write", action="store_true", help=f"train on everything and write {WEIGHTS.name}")
    parser.add_argument("--judge", type=Path, help="more labelled requests, for the packaged model")
    given = parser.parse_args()
    examples = read_examples(given.data)
    space = Space(examples)
    if given.seeds:
        report(examples, space, given.seeds)
    if given.write:
        kinds = np.array([example.kind for example in examples])
        model, strength, temperature = train(space, kinds, np.arange(len(examples)))
        about = (
            f"benchmarks/classifier.py: {len(examples)} requests, L2 {strength}, temperature {temperature}"
        )
        WEIGHTS.write_text(write_model(model, about), encoding="utf-8")
        print(f"\n{WEIGHTS}: {WEIGHTS.stat().st_size} bytes; {about}")
    if given.judge:
        others = read_requests(given.judge)
        print(table(HEAD, [tell(given.judge.name, score(others, [classify(one.text) for one in others]))]))
    if WEIGHTS.exists():
        time_it()


if __name__ == "__main__":
    main()
