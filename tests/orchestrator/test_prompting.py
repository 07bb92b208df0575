from orchestrator.decide import Try
from orchestrator.outcome import Attempt
from orchestrator.prompting import pick_base, pick_best
from orchestrator.route import Served
from validators.verdict import Verdict

STRONG = Served("strong", "backend", "model-strong", 8192, 1024, paid=False)
PASSED = Verdict("tests", "passed", 1.0)
WEAK = Attempt(1, "weak", "m", "b", files={"a.py": "x"}, verdicts=(PASSED, PASSED), approved=True)
OTHER = Attempt(2, "strong", "n", "b", "confirm", files={"a.py": "y"}, verdicts=(PASSED,), approved=True)


def test_a_second_author_never_sees_the_first_ones_work_not_even_when_asked_again():
    unusable = Attempt(2, "strong", "n", "b", "confirm", trouble="no_candidate")

    assert pick_base([WEAK], Try(STRONG, "confirm")) is None
    assert pick_base([WEAK, unusable], Try(STRONG, "retry")) is None
    assert pick_base([WEAK, OTHER], Try(STRONG, "retry")) is OTHER


def test_a_retry_without_work_of_its_own_revises_what_the_weaker_tier_left():
    failed = Attempt(1, "weak", "m", "b", files={"a.py": "x"})
    unusable = Attempt(2, "strong", "n", "b", "escalate", trouble="no_candidate")

    assert pick_base([failed, unusable], Try(STRONG, "retry")) is failed


def test_of_works_that_passed_the_last_stands_however_many_gates_the_others_passed():
    assert pick_best([WEAK, OTHER]) is OTHER


def test_what_another_author_confirmed_stands_before_what_came_later():
    agreed = Attempt(2, "strong", "n", "b", files={"a.py": "y"}, approved=True, support="agreed")
    later = Attempt(3, "best", "o", "b", files={"a.py": "z"}, approved=True, support="contested")

    assert pick_best([WEAK, agreed, later]) is agreed


def test_where_none_passed_the_one_that_got_furthest_stands():
    far = Attempt(1, "weak", "m", "b", files={"a.py": "x"}, verdicts=(PASSED,))
    later = Attempt(2, "weak", "m", "b", files={"a.py": "y"})

    assert pick_best([far, later]) is far
    assert pick_best([later, Attempt(3, "weak", "m", "b")]) is later
    assert pick_best([]) is None
