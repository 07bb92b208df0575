"""Read the JSON reports of test runners, written by a process that nobody trusts."""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any

from validators.projects.results import Outcome, Report, Result, distinct
from validators.reading import number_in

LARGEST = 4 * 1024**2
_LONGEST_NAME = 1000
_OUTCOMES: dict[str, Outcome] = {"passed": "passed", "failed": "failed"}
_GO_OUTCOMES: dict[str, Outcome] = {"pass": "passed", "fail": "failed", "skip": "skipped"}
_GO_FRAMES = ("=== ", "--- ")
Read = Callable[[Any], Iterator[Result]]


def read_jest(text: str) -> Report:
    """Read what `jest --json` and vitest's reporter `json` write."""
    return _read(text, _of_jest)


def read_mocha(text: str) -> Report:
    """Read what mocha's reporter `json` writes."""
    return _read(text, _of_mocha)


def read_rspec(text: str) -> Report:
    """Read what `rspec --format json` writes."""
    return _read(text, _of_rspec)


def _read(text: str, read: Read) -> Report:
    """Read a whole document; one of another shape is no report."""
    try:
        return Report(distinct(read(json.loads(text[:LARGEST]))), whole=True)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return Report()


def _of_jest(document: Any) -> Iterator[Result]:  # noqa: ANN401 - of a stranger
    for suite in document["testResults"]:
        file = str(suite["name"])[:_LONGEST_NAME]
        for test in suite["assertionResults"]:
            line = (test.get("location") or {}).get("line") or 0
            outcome = _OUTCOMES.get(test["status"], "skipped")
            told = "\n".join(map(str, test.get("failureMessages") or ()))
            yield Result(f"{file} > {test['fullName']}", outcome, told, file, int(line))
        if suite["status"] == "failed" and not suite["assertionResults"]:
            yield Result(f"{file} > (load)", "failed", str(suite.get("message", "")), file, 1)


def _of_mocha(document: Any) -> Iterator[Result]:  # noqa: ANN401
    pending = {test["fullTitle"] for test in document["pending"]}
    for test in document["tests"]:
        error, file = test.get("err") or {}, str(test.get("file", ""))
        outcome: Outcome = "skipped" if test["fullTitle"] in pending else "failed" if error else "passed"
        values = f"expected: {error['expected']}, got: {error['actual']}\n" if "expected" in error else ""
        told = values + str(error.get("stack") or error.get("message") or "")
        yield Result(f"{file} > {test['fullTitle']}", outcome, told if error else "", file)
    known = {test["fullTitle"] for test in document["tests"]}
    for hook in document["failures"]:
        if hook["fullTitle"] not in known:
            yield Result(
                str(hook["fullTitle"]), "failed", str(hook["err"].get("stack", "")), str(hook.get("file", ""))
            )


def _of_rspec(document: Any) -> Iterator[Result]:  # noqa: ANN401
    for example in document["examples"]:
        file, line = str(example["file_path"]).removeprefix("./"), int(example["line_number"])
        error = example.get("exception") or {}
        outcome = _OUTCOMES.get(example["status"], "skipped")
        places = [f"    at {place}" for place in error.get("backtrace") or ()]
        told = "\n".join((str(error.get("message", "")).strip(), *places)) if error else ""
        yield Result(f"{file} > {example['full_description']}", outcome, told, file, line)
    if int(document["summary"].get("errors_outside_of_examples_count", 0)):
        yield Result("(load)", "failed", "An error occurred outside of the examples.")


def read_go(text: str) -> Report:
    """Read the events of `go test -json`, as far as they go."""
    outputs: dict[tuple[str, str], list[str]] = {}
    ends: dict[tuple[str, str], Outcome] = {}
    for event in _events(text):
        key = (str(event.get("Package", "")), str(event.get("Test", "")))
        if event.get("Action") == "output":
            outputs.setdefault(key, []).append(str(event.get("Output", "")))
        elif (outcome := _GO_OUTCOMES.get(str(event.get("Action", "")))) is not None:
            ends[key] = outcome
        else:
            outputs.setdefault(key, [])
    packages = {package for package, _ in outputs}
    results = tuple(_of_go(outputs, ends))
    return Report(results, whole=bool(packages) and all((package, "") in ends for package in packages))


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text[:LARGEST].splitlines():
        if line.startswith("{"):
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):  # cut off
                continue
            yield event


def _of_go(
    outputs: dict[tuple[str, str], list[str]], ends: dict[tuple[str, str], Outcome]
) -> Iterator[Result]:
    """Yield tests; one that never ended has failed, and one that only holds failed ones says nothing."""
    failed = sorted(key for key in outputs if key[1] and ends.get(key, "failed") == "failed")
    for key, lines in outputs.items():
        package, test = key
        if not test or (ends.get(key, "failed") == "failed" and _holds(key, failed)):
            continue
        told = "".join(line for line in lines if not line.lstrip().startswith(_GO_FRAMES))
        outcome = ends.get(key, "failed")
        # a place in Go's output is only a file's name; its package says where the file lies
        file = f"{package}/{_first_file(told)}"
        line = _first_line(told)
        text = told if outcome == "failed" else ""
        yield Result(f"{package} > {test}", outcome, text, file, line)


def _holds(key: tuple[str, str], failed: list[tuple[str, str]]) -> bool:
    """Say whether one of the failed tests, which are in order, is inside of this one."""
    package, begin = key[0], f"{key[1]}/"
    place = bisect_left(failed, (package, begin))
    return place < len(failed) and failed[place][0] == package and failed[place][1].startswith(begin)


def _first_file(told: str) -> str:
    return told.strip().partition(":")[0] if ".go:" in told.partition("\n")[0] else ""


def _first_line(told: str) -> int:
    return number_in(told.strip().partition(":")[2].partition(":")[0])
