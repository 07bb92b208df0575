"""The three tasks of the demonstration, and what its stand-in models answer to them. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoTask:
    """One task, and what it is meant to show."""

    shows: str
    task: str
    tests: str


TASKS = (
    DemoTask(
        "accepted at once",
        "Write a Python function slugify(title) that lower-cases a title and joins its words with hyphens.",
        "from solution import slugify\n\n"
        "def test_words_are_joined():\n    assert slugify('Hello, World') == 'hello-world'\n\n"
        "def test_spaces_at_the_ends_vanish():\n    assert slugify('  a b ') == 'a-b'\n",
    ),
    DemoTask(
        "retried with the failing test's diagnostics",
        "Write a Python function median_of(values) that returns the median of a list of numbers.",
        "from solution import median_of\n\n"
        "def test_odd_length():\n    assert median_of([3, 1, 2]) == 2\n\n"
        "def test_even_length():\n    assert median_of([4, 1, 3, 2]) == 2.5\n",
    ),
    DemoTask(
        "escalated to a stronger model",
        "Write a Python function parse_duration(text) that turns '1h30m' or '45s' into seconds.",
        "from solution import parse_duration\n\n"
        "def test_one_unit():\n    assert parse_duration('45s') == 45\n\n"
        "def test_several_units():\n    assert parse_duration('1h30m') == 5400\n",
    ),
)

SLUGIFY = '''```python
import re


def slugify(title):
    """Join the lower-cased words of a title with hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))
```'''

MEDIAN_WRONG = '''```python
def median_of(values):
    """Return the median of a list of numbers."""
    ranked = sorted(values)  # the middle one
    return ranked[len(ranked) // 2]
```'''

MEDIAN_EDIT = """solution.py
<<<<<<< SEARCH
    ranked = sorted(values)  # the middle one
    return ranked[len(ranked) // 2]
=======
    ranked = sorted(values)
    half = len(ranked) // 2
    if len(ranked) % 2:
        return ranked[half]
    return (ranked[half - 1] + ranked[half]) / 2
>>>>>>> REPLACE"""

DURATION_WRONG = '''```python
def parse_duration(text):
    """Turn '45s' into seconds."""
    return int(text[:-1])  # drops the unit
```'''

DURATION_STILL_WRONG = '''```python
def parse_duration(text):
    """Turn '1h30m' or '45s' into seconds."""
    factors = {"h": 3600, "m": 60, "s": 1}
    return int(text[:-1]) * factors[text[-1]]  # one unit only
```'''

DURATION_RIGHT = '''```python
import re


def parse_duration(text):
    """Turn '1h30m' or '45s' into seconds."""
    factors = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * factors[unit] for number, unit in re.findall(r"(\\d+)([hms])", text))
```'''

SMALL_MODEL = (
    ("slugify(title)", SLUGIFY),
    ("median_of(values)", MEDIAN_WRONG),
    ("# the middle one", MEDIAN_EDIT),
    ("parse_duration(text)", DURATION_WRONG),
    ("# drops the unit", DURATION_STILL_WRONG),
)
"""Keyword in the prompt and answer; the last keyword found wins, so a shown mistake is answered anew."""

LARGE_MODEL = (("parse_duration(text)", DURATION_RIGHT),)
