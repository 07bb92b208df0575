import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.rlm.quotes import lines_of, locate
from orchestrator.rlm.slips import align

TEXT = """# The reactor

On 12 March 1971 the *second* reactor at Aldermoor was shut down after a valve had failed.
“Nobody was hurt,” the director said — and nobody believed her.

> The inquiry took three years, and it did not blame the operators,
> because the drawings they had been given were wrong.

The temperature fell to -5 degrees. Repairs cost $4,200,000 (about 7% of the budget).
if a < b and c != d: return 私は学生です。
"""
SYLLABLES = ["ka", "mor", "tel", "vin", "sol", "dra", "pen", "lu", "gar", "ith", "obe", "ran"]


def seeded(number):
    return random.Random(number)  # noqa: S311 - the same text each time, no secret


def located(quote, text=TEXT):
    found = locate(quote, text)
    return found and (text[found.start : found.end], found.how)


def book(seed, sentences=300):
    draw = seeded(seed)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(2, 3))) for _ in range(400)]
    small = ["the", "of", "and", "was", "in", "to", "a", "that"]

    def sentence():
        chosen = [draw.choice(small if draw.random() < 0.4 else words) for _ in range(draw.randint(8, 20))]
        return " ".join(chosen).capitalize() + ".\n" * draw.randint(1, 2)

    return "".join(sentence() for _ in range(sentences))


@pytest.mark.parametrize(
    ("quote", "how", "expected"),
    [
        ("a valve had failed", "exact", "a valve had failed"),
        ("  a valve had failed\n", "exact", "a valve had failed"),
        ("the second reactor at Aldermoor", "normalised", "the *second* reactor at Aldermoor"),
        ("A VALVE\nHAD   FAILED", "normalised", "a valve had failed"),
        (
            '"Nobody was hurt," the director said - and',
            "normalised",
            "Nobody was hurt,” the director said — and",
        ),
        (
            "blame the operators, because the drawings",
            "normalised",
            "blame the operators,\n> because the drawings",
        ),
        ("…shut down after a valve had failed...", "normalised", "shut down after a valve had failed"),
        ("fell to \u22125 degrees", "normalised", "fell to -5 degrees"),
        ("学生です", "exact", "学生です"),
        ("the second reacter at Aldermoor was shut", "fuzzy", "the *second* reactor at Aldermoor was shut"),
        ("the second raector at Aldermoor was shut", "fuzzy", "the *second* reactor at Aldermoor was shut"),
        ("the second reactr at Aldermoor was shut", "fuzzy", "the *second* reactor at Aldermoor was shut"),
        (
            "reactor at Aldermoor was shut after a valve",
            "fuzzy",
            "reactor at Aldermoor was shut down after a valve",
        ),
        (
            "the drawings theyhad been given were wrong",
            "fuzzy",
            "the drawings they had been given were wrong",
        ),
        (
            "the draw ings they had been given were wrong",
            "fuzzy",
            "the drawings they had been given were wrong",
        ),
        (
            "the drawings theyh ad been given were wrong",
            "fuzzy",
            "the drawings they had been given were wrong",
        ),
        (
            "On 12 March 1971 ... was shut down",
            "fuzzy",
            "On 12 March 1971 the *second* reactor at Aldermoor was shut down",
        ),
        (
            "The inquiry [...] the operators […] were wrong",
            "fuzzy",
            TEXT[TEXT.index("The inquiry") : TEXT.index(".\n\nThe temp")],
        ),
    ],
)
def test_a_true_quote_is_found_whatever_a_model_did_to_it(quote, how, expected):
    assert located(quote) == (expected, how)


@pytest.mark.parametrize(
    "quote",
    [
        "On 12 March 1972 the second reactor at Aldermoor was shut down",
        "the third reactor at Aldermoor was shut down after a valve had failed",
        "The inquiry took three years, and it did blame the operators",
        "The inquiry took three years, and it did now blame the operators",
        "The temperature fell to 5 degrees",
        "Repairs cost 4,200,000 (about 7% of the budget)",
        "if a > b and c != d",
        "if a < b and c == d",
        "were wrong ... On 12 March 1971",
        "On 12 March ... the operators ... at the end of the world",
        "the director said and everybody believed her",
        "The inquiry was led by a retired judge from Aldermoor and its drawings",
        "eactor at Aldermoo",
        "reactor reactor reactor reactor",
        "...",
        "",
        "1",
        "of",
    ],
)
def test_a_fabricated_or_changed_quote_is_not_found(quote):
    assert located(quote) is None


def test_a_number_is_not_found_inside_another_number():
    assert located("42", "It was 1420 metres.") is None
    assert located("420", "It was 420 metres.") == ("420", "exact")


def test_a_quote_is_looked_for_only_between_the_offsets_given():
    text = "one two three. one two three."

    found = locate("one two three", text, 5)

    assert (found.start, found.end) == (15, 28)
    assert locate("one two three", text, 5, 20) is None


def test_a_very_long_quote_is_found_only_as_it_stands():
    text = book(1)

    assert locate(text, text).how == "exact"
    assert locate(text.upper(), text) is None


def test_lines_count_from_one_and_a_last_line_end_belongs_to_its_line():
    assert lines_of("a\nb\nc\n", 0, 1) == (1, 1)
    assert lines_of("a\nb\nc\n", 2, 4) == (2, 2)
    assert lines_of("a\nb\nc\n", 0, 5) == (1, 3)


def slipped(draw, quote):
    at = draw.choice([index for index, letter in enumerate(quote) if letter.isalpha()])
    return draw.choice(
        [quote[:at] + "x" + quote[at + 1 :], quote[:at] + quote[at + 1 :], quote[:at] + "q" + quote[at:]]
    )


def dropped(draw, quote):
    words = quote.split()
    del words[draw.randrange(1, len(words) - 1)]
    return " ".join(words)


CHANGES = [
    lambda draw, quote: quote,
    lambda draw, quote: re.sub(r"\s+", " \n", quote),
    lambda draw, quote: quote.upper(),
    lambda draw, quote: quote.replace(" ", " **", 1) + "**",
    slipped,
    dropped,
]


def test_changed_quotes_are_found_where_they_were_taken_from():
    text, draw, found = book(2), seeded(2), 0
    words = list(re.finditer(r"\S+", text))

    for number in range(300):
        first = draw.randrange(len(words) - 30)
        start, end = words[first].start(), words[first + draw.randint(7, 25)].end()
        hit = locate(CHANGES[number % len(CHANGES)](draw, text[start:end]), text)
        found += hit is not None and abs(hit.start - start) <= 12 and abs(hit.end - end) <= 12

    assert found >= 297


def test_no_quote_of_another_book_is_found():
    text, other, draw = book(3), book(4), seeded(4)
    words = other.split()

    for _ in range(200):
        first = draw.randrange(len(words) - 20)
        assert locate(" ".join(words[first : first + draw.randint(6, 15)]), text) is None


@given(text=st.text(max_size=200), quote=st.text(max_size=40))
def test_what_is_located_lies_in_the_text(text, quote):
    found = locate(quote, text)

    assert found is None or 0 <= found.start < found.end <= len(text)


@given(st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta", "7"]), min_size=4, max_size=12))
def test_words_align_with_themselves_inside_others(words):
    start, end = align(words, ["before", *words, "after"])

    assert end - start == len(words) - 1


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("a b c d", (0, 3)),
        ("a b d", (0, 3)),
        ("a bc d", (0, 3)),
        ("a b cc d", (0, 3)),
        ("a b d c", None),
        ("a b c d e", None),
    ],
)
def test_words_align_with_as_few_slips_as_allowed(quote, expected):
    assert align(quote.split(), ["a", "b", "c", "d"]) == expected
