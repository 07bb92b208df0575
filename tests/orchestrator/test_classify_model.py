"""The trained model: what it reads, how it is written and how it judges."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.classifying.classification import BANDS, TYPES, place, type_index
from orchestrator.classifying.features import read_features, split_title
from orchestrator.classifying.hints import HINTS
from orchestrator.classifying.model import (
    BUCKETS,
    LinearModel,
    bucket,
    packaged_model,
    parse_model,
    write_model,
)
from orchestrator.signals import SIGNALS

EMPTY = LinearModel((0.0, 0.0, 0.0, 0.0), {}, array("b", bytes(4 * BUCKETS)), 0.01)


def test_a_model_without_weights_finds_all_types_equally_likely():
    assert EMPTY.predict(read_features("Fix a typo", "")) == (0.25, 0.25, 0.25, 0.25)


def test_a_gram_with_weight_moves_only_requests_that_hold_it():
    grams = array("b", bytes(4 * BUCKETS))
    grams[4 * bucket("tokenizer") + 3] = 127
    model = LinearModel((0.0,) * 4, {}, grams, 0.1)

    with_it = model.predict(read_features("Tokenizer", ""))
    without = model.predict(read_features("Menu", ""))

    assert with_it.index(max(with_it)) == 3
    assert without == (0.25, 0.25, 0.25, 0.25)


def test_the_signs_that_speak_for_a_type_come_strongest_first():
    signs = {"is about tests": (0.0, 1.0, 0.0, -1.0), "describes a fault": (0.0, 2.0, 0.0, 0.0)}
    model = LinearModel((0.0,) * 4, signs, array("b", bytes(4 * BUCKETS)), 0.01)
    features = read_features("The tests fail", "")

    assert model.telling(features, 1) == ["describes a fault", "is about tests"]
    assert model.telling(features, 3) == []


def test_a_model_survives_being_written_and_read():
    model = packaged_model()

    again = parse_model(write_model(model, "a test"))

    assert again == model


def test_the_packaged_model_is_small_and_fits_the_code():
    model = packaged_model()

    assert len(model.grams) == 4 * BUCKETS
    assert all(len(row) == len(TYPES) for row in model.signs.values())
    assert len(write_model(model, "")) < 300_000


def test_every_sign_that_has_weights_is_still_read_from_requests():
    known = {signal.reason for signal in SIGNALS} | set(HINTS)
    weighed = {name.removeprefix("body: ") for name in packaged_model().signs}

    assert {name for name in weighed if not name.startswith("shape: ")} <= known


@given(st.text(max_size=300), st.text(max_size=300))
def test_grams_have_length_one_and_probabilities_sum_to_one(title, body):
    features = read_features(title, body)

    length = math.sqrt(sum(value**2 for value in features.grams.values()))
    assert length == pytest.approx(1)
    assert sum(packaged_model().predict(features)) == pytest.approx(1)


def test_endings_and_humps_do_not_hide_a_word():
    grams = read_features("parseHeaders parsing headers", "").grams

    assert {"pars", "header"} <= set(grams)


def test_a_title_ends_at_its_line_or_after_200_characters():
    assert split_title("\n  Fix it\nbecause") == ("Fix it", "because")
    assert split_title("x" * 250) == ("x" * 200, "x" * 50)


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.integers(0, 3))
def test_a_place_lies_inside_the_band_of_its_type(weights, kind):
    probabilities = [weight / sum(weights) for weight in weights]

    complexity = place(probabilities, kind)

    assert BANDS[kind] <= complexity <= BANDS[kind + 1]
    assert type_index(complexity) == kind


def test_a_place_moves_up_when_harder_types_are_likelier():
    assert place((0.3, 0.6, 0.1, 0.0), 1) < place((0.1, 0.6, 0.3, 0.0), 1)
