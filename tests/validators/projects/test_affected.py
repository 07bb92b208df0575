import pytest

from validators.projects.affected import affected_tests
from validators.projects.detecting import Found
from validators.projects.runners import RUNNERS


def affected(runner, tests, changed):
    return affected_tests(Found(RUNNERS[runner]), tests, changed)


@pytest.mark.parametrize(
    ("runner", "tests", "changed", "chosen"),
    [
        (
            "pytest",
            {"tests/test_sums.py": "", "tests/test_b.py": ""},
            ["src/sums.py"],
            ("tests/test_sums.py",),
        ),
        (
            "pytest",
            {"tests/test_x.py": "from pkg.sums import add", "t_test.py": ""},
            ["pkg/sums.py"],
            ("tests/test_x.py",),
        ),
        ("pytest", {"test_a.py": "", "test_b.py": ""}, ["test_a.py"], ("test_a.py",)),
        ("jest", {"a.spec.js": "", "b.test.ts": ""}, ["src/b.ts"], ("b.test.ts",)),
        ("node --test", {"-a.test.js": "", "b.test.js": ""}, ["-a.js"], ("./-a.test.js",)),
        ("go test", {"x/a_test.go": "", "y/b_test.go": "", "x/c_test.go": ""}, ["x/sum.go"], ("./x",)),
        ("maven", {"test/SumTest.java": "", "test/OTest.java": ""}, ["main/Sum.java"], ("-Dtest=SumTest",)),
        ("cargo test", {"tests/a.rs": "", "tests/b.rs": ""}, ["src/a.rs"], ()),
        ("pytest", {"test_a.py": "", "test_b.py": ""}, ["c.py"], ()),
        ("pytest", {"test_a.py": ""}, ["a.py"], ()),
        ("pytest", {"test_a.py": "sums", "test_b.py": "sums"}, ["sums.py"], ()),
        ("pytest", {"test_a.py": "import utils", "test_b.py": ""}, ["utils.py"], ()),
    ],
)
def test_tests_that_a_change_touches_are_chosen(runner, tests, changed, chosen):
    assert affected(runner, tests, changed) == chosen


def test_with_very_many_touched_all_run_at_once():
    tests = {f"test_{number}.py": "import sums" for number in range(30)} | {"test_other.py": ""}

    assert affected("pytest", tests, ["sums.py"]) == ()
