"""The page of pictures: whole, well formed, escaped, and true to the figures."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.backend import Health, ModelInfo
from orchestrator.learning.calibration import Pair, calibrate
from orchestrator.policy import BackendPolicy, Policy
from orchestrator.reporting.page import draw_page
from orchestrator.reporting.svg import LABEL, VALUE, WIDTH, Bar, Part, draw_bars, draw_curve
from orchestrator.reporting.telling import tell_report
from orchestrator.servers import Finding
from orchestrator.statistics import PairRow, Standings, TypeRow, WorkerRow

EVIL = '"><script>alert(1)</script>&'
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)
LOCAL = BackendPolicy(kind="lmstudio", url="http://127.0.0.1:1234")


def make_policy(**type_changes):
    return Policy.model_validate(
        {
            "backends": {"local": {"kind": "lmstudio"}},
            "tiers": {"weak": {"rank": -1, "backend": "local", "model": "*"}},
            "task_types": {
                "quick_edit": {
                    "complexity": [0, 10],
                    "route": ["weak"],
                    "validators": ["syntax"],
                    **type_changes,
                }
            },
        }
    )


def make_standings(name="m"):
    return Standings(
        tasks={"accepted": 3, "needs_review": 1},
        workers=(WorkerRow("quick_edit", "weak", 5, 3, 0.0, 2.5, name),),
        spent_today_usd=0.25,
        spent_usd=1.5,
        saved_usd=-0.5,
        types=(TypeRow("quick_edit", 5, 3, 1, 2, 7, 1.5, 0.25, worth_usd=1.0, seconds=10.0),),
        pairs=(PairRow("weak", name, "strong", 4, 3, 1),),
    )


def make_findings(name="m"):
    models = (ModelInfo(name, True, 8192, "Q4", 9_000_000_000), ModelInfo("other", False))
    return (
        Finding("local", LOCAL, Health(reachable=True, detail=f"{name} answers"), models),
        Finding("away", LOCAL, Health(reachable=False, detail="start it")),
    )


def tell(name="m", **type_changes):
    curve = calibrate([Pair(0.9, 1.0), Pair(0.9, 0.0), Pair(0.4, 0.0)])
    return tell_report(make_findings(name), make_standings(name), make_policy(**type_changes), curve)


def pictures(page):
    return [ET.fromstring(one) for one in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]  # noqa: S314 - ours


def test_the_report_tells_money_models_and_limits_in_the_words_of_results():
    told = tell(usd_per_day=0.5)

    (kind,) = told["task_types"]
    assert kind["saved_usd"] == -0.5
    assert kind["mean_seconds"] == 2.0
    assert told["backends"][0]["loaded"] == [{"model": "m", "size_gb": 9.0, "context_tokens": 8192}]
    assert "loaded" not in told["backends"][1]
    assert told["budget"]["task_types"] == [
        {"task_type": "quick_edit", "spent_today_usd": 0.25, "usd_per_day": 0.5, "usd_per_task": None}
    ]
    assert told["calibration"]["labels"] == 3
    assert told["calibration"]["bins"][0] == {"stated": 0.4, "observed": 0.0, "count": 1}


def test_a_ledger_without_labels_has_no_calibration_to_tell():
    told = tell_report((), make_standings(), make_policy(), calibrate([]))

    assert "calibration" not in told
    assert "Confidence" not in draw_page(told, "today")


def test_the_page_loads_nothing_and_shows_every_picture():
    page = draw_page(tell(usd_per_day=0.5), "2026-11-21 at 10:00")

    labels = [one.get("aria-label") for one in pictures(page)]
    assert labels == [
        "Tasks by type",
        "Money spent and saved by task type",
        "Success rate by worker",
        "Calibration of confidence",
        "Budgets",
    ]
    assert "<script" not in page
    assert not re.search(r'(src|href)="|url\(|@import', page)
    assert "prefers-color-scheme: dark" in page
    assert "60% of 5" in page
    assert "-$0.5000" in page
    assert "9.0 GB" in page


def test_a_page_of_an_empty_ledger_says_so_without_pictures_of_nothing():
    told = tell_report((), Standings({}, (), 0.0, 0.0, 0.0), make_policy())

    page = draw_page(told, "today")

    assert [one.get("aria-label") for one in pictures(page)] == ["Budgets"]
    assert "<b>0</b><span>tasks</span>" in page


def test_what_models_and_servers_are_called_is_escaped():
    page = draw_page(tell(EVIL), "today")

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert pictures(page)


@given(st.lists(st.tuples(TEXTS, st.floats(0, 1e9), st.floats(0, 1e9)), max_size=8), st.floats(0, 10))
def test_bars_are_well_formed_and_stay_inside_their_room(rows, full):
    bars = [
        Bar(text, (Part(one, "good", text), Part(two, "bad", text)), f"{one + two:.1f}")
        for text, one, two in rows
    ]

    drawn = draw_bars("bars", bars, full)

    if not rows:
        assert drawn == ""
        return
    boxes = ET.fromstring(drawn).findall(".//{http://www.w3.org/2000/svg}rect")  # noqa: S314 - ours
    ends = [float(box.get("x")) + float(box.get("width")) for box in boxes]
    assert len(boxes) == 2 * len(rows)
    assert all(LABEL <= end <= WIDTH - VALUE + 0.2 for end in ends)


SHARES = st.floats(-0.5, 1.5)


@given(st.lists(st.tuples(SHARES, SHARES, st.floats(0, 1e6)), min_size=1, max_size=10))
def test_the_curve_has_a_dot_for_every_bin_inside_the_picture(points):
    picture = ET.fromstring(draw_curve("curve", points))  # noqa: S314 - ours

    dots = picture.findall(".//{http://www.w3.org/2000/svg}circle")
    width = float(picture.get("width"))
    assert len(dots) == len(points)
    assert all(0 <= float(dot.get(axis)) <= width for dot in dots for axis in ("cx", "cy"))


@pytest.mark.parametrize("drawn", [draw_bars("none", []), draw_curve("none", [])])
def test_nothing_is_drawn_for_no_figures(drawn):
    assert drawn == ""
