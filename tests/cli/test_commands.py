"""The command line as a person and a script see it."""

import json
import os
import re
import subprocess
import sys

import pytest

from cli.reading import BROKEN_WORLD, DONE, NOT_DONE, WRONG_USE
from tests.behaviour.stage import APPROVE, GOOD, WRONG

TASK = ["task: write add(a, b)", "--language", "python", "--task-type", "standard_dev"]


def test_run_tells_one_json_object_and_nothing_else(play):
    code, out, err = play(weak=[GOOD])("run", *TASK, "--tests", "tests.py", "--json")

    answer = json.loads(out)
    assert code == DONE
    assert answer["status"] == "accepted"
    assert out.count("\n") == 1
    assert err == ""


def test_run_shows_a_person_the_work_and_how_it_was_judged(play):
    code, out, err = play(weak=[WRONG, GOOD])("run", *TASK, "--tests", "tests.py")

    assert code == DONE
    assert "return a + b" in out
    assert re.search(r"accepted\s+t\w+\s+standard_dev", out)
    assert "left is -1, right is 5" in err


def test_run_that_is_not_accepted_leaves_with_1(play):
    code, out, _ = play(weak=[WRONG], strong=[WRONG])(
        "run", *TASK, "--tests", "tests.py", "--max-tier", "strong"
    )

    assert code == NOT_DONE
    assert "skipped" in out


def test_a_person_allows_money_with_review_and_the_task_goes_on(play):
    run = play(weak=[WRONG], strong=[WRONG], dear=[GOOD])

    asked = json.loads(run("run", *TASK, "--tests", "tests.py", "--json")[1])
    _, listed, _ = run("review")
    approved = json.loads(run("review", "approve", asked["task_id"], "--json")[1])
    code, out, _ = run("run", "--resume", asked["task_id"], "--json")

    assert asked["status"] == approved["status"] == "needs_approval"
    assert asked["task_id"] in listed
    assert (code, json.loads(out)["tier"]) == (DONE, "dear")


def test_yes_allows_money_beforehand(play):
    code, out, _ = play(weak=[WRONG], strong=[WRONG], dear=[GOOD])(
        "run", *TASK, "--tests", "tests.py", "--yes", "--json"
    )

    assert (code, json.loads(out)["tier"]) == (DONE, "dear")


def test_apply_writes_the_file(play, tmp_path):
    code, _, _ = play(weak=[GOOD])("run", *TASK, "--tests", "tests.py", "--write-to", "sums.py", "--apply")

    assert code == DONE
    assert (tmp_path / "project" / "sums.py").read_text() == "def add(a, b):\n    return a + b\n"


def test_classify_explains_itself(play):
    code, out, _ = play()("classify", "fix a typo in the docs")

    assert code == DONE
    assert "quick_edit" in out


def test_validate_judges_files(play, tmp_path):
    run = play()
    (tmp_path / "project" / "solution.py").write_text("def add(a, b):\n    return a - b\n")

    code, out, _ = run("validate", "solution.py", "--tests", "tests.py", "--json")
    shown = run("validate", "solution.py", "--tests", "tests.py")[1]

    assert code == NOT_DONE
    assert json.loads(out)["passed"] is False
    assert "left is -1, right is 5" in shown


def test_validate_passes_what_passes(play, tmp_path):
    run = play(checks=[APPROVE])
    (tmp_path / "project" / "solution.py").write_text("def add(a, b):\n    return a + b\n")

    code, out, _ = run(
        "validate", "solution.py", "--validators", "syntax, tests,semantic", "--tests", "tests.py"
    )

    assert code == DONE
    assert out.startswith("passed")


def test_doctor_says_what_is_found_and_what_the_routes_become(play):
    run = play()

    code, out, _ = run("doctor", "--json")
    shown = run("doctor")[1]

    told = json.loads(out)
    routes = {one["task_type"]: one["route"] for one in told["routes"]}
    assert code == DONE
    assert routes["standard_dev"] == ["weak", "strong", "dear"]
    assert "Level: " in told["sandbox"] or "none holds" in told["sandbox"]
    assert "weak → strong" in shown


def test_doctor_asks_the_models_what_their_servers_do_only_when_it_is_told_to(play):
    run = play(default='{"number": 3}')

    told = json.loads(run("doctor", "--probe", "--json")[1])
    shown = run("doctor", "--probe")[1]
    silent = json.loads(run("doctor", "--json")[1])

    assert {one["tier"] for one in told["capabilities"]} == {"weak", "strong"}
    assert "JSON Schema: yes" in shown
    assert silent["capabilities"] == []


def test_doctor_of_an_empty_machine_leaves_with_1_and_says_why(play, monkeypatch, tmp_path):
    run = play()
    config = tmp_path / "escalation.toml"
    config.write_text(config.read_text().replace("script.json", "missing.json"))

    code, out, _ = run("doctor")

    assert code == NOT_DONE
    assert "nothing: tasks of this type are stopped" in out
    assert "missing.json" in out.replace("\n", "")


def test_report_counts_what_happened(play):
    run = play(weak=[WRONG, GOOD])
    run("run", *TASK, "--tests", "tests.py", "--json")

    code, out, _ = run("report")

    assert code == DONE
    assert "50%" in out
    assert "1 accepted" in out


def test_analyze_answers_with_located_quotes(play, tmp_path):
    found = json.dumps({"answer": "green", "quotes": ["The lamp is green."]})
    run = play()
    script = tmp_path / "script.json"
    models = json.loads(script.read_text())["models"]
    models["strong"]["default"] = found
    script.write_text(json.dumps({"models": models}))
    (tmp_path / "project" / "notes.txt").write_text("It is dark.\nThe lamp is green.\n")

    code, out, _ = run("analyze", "Which colour has the lamp?", "notes.txt", "--json")
    shown = run("analyze", "Which colour has the lamp?", "*.txt")[1]

    told = json.loads(out)
    assert code == DONE
    assert told["answer"] == "green"
    assert told["citations"][0]["quote"] == "The lamp is green."
    assert told["citations"][0]["lines"] == [2, 2]
    assert told["coverage"] == 1
    assert "notes.txt:2-2" in shown.replace("\n", "")


def test_a_schema_that_is_nested_without_end_is_refused_in_one_sentence(play, tmp_path):
    run = play()
    (tmp_path / "project" / "deep.json").write_text("[" * 200_000)
    (tmp_path / "project" / "text.txt").write_text("hello")

    code, _, err = run("analyze", "what?", "text.txt", "--schema", "deep.json")

    assert code == WRONG_USE
    assert "'deep.json' is not a JSON Schema: it is nested too deep" in err


def test_init_writes_a_policy_that_is_trusted(play, tmp_path, monkeypatch):
    run = play()

    code, _, _ = run("init")
    again, _, err = run("init")

    assert code == DONE
    assert again == WRONG_USE
    assert "is there already" in err
    assert (tmp_path / "home" / "trusted.json").exists()


def test_trust_remembers_a_file(play, tmp_path):
    code, out, _ = play()("trust", str(tmp_path / "escalation.toml"))

    assert code == DONE
    assert "Trusted" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["run", " "], WRONG_USE, "The task is empty"),
        (["run", "x", "--start-tier", "gpt"], WRONG_USE, "is no tier"),
        (["run", "x", "--validators", "foo"], WRONG_USE, "validators foo are unknown"),
        (["run", "x", "--complexity", "99"], WRONG_USE, "must be from 0 to 10"),
        (["run", "x", "--max-cost-usd", "-1"], WRONG_USE, "must not be negative"),
        (["run", "x", "--timeout-seconds", "0"], WRONG_USE, "must be above 0"),
        (["run", "x", "--domain", "art"], WRONG_USE, "domain 'art' is unknown"),
        (["run", "x", "--apply"], WRONG_USE, "apply needs write_to"),
        (["run", "bad \udcff"], WRONG_USE, "send UTF-8"),
        (["run", "x", "--write-to", ".git/hooks/pre-commit"], WRONG_USE, "belongs to git"),
        (["run", "x", "--write-to", "."], WRONG_USE, "must name a file"),
        (["run", "x", "--write-to", "a\nb.py"], WRONG_USE, "character that file names may not"),
        (["run", "x", "--write-to", "x" * 300 + ".py"], BROKEN_WORLD, "File name too long"),
        (["init", "missing/folder/x.toml"], BROKEN_WORLD, "No such file"),
        (["run", "--resume", "t0"], WRONG_USE, "There is no task 't0'"),
        (["review", "approve"], WRONG_USE, "Which task?"),
        (["validate", "missing.py"], WRONG_USE, "missing.py"),
        (["validate", "../script.json"], WRONG_USE, "roots"),
        (["run", "x", "--tests", "missing_tests.py"], WRONG_USE, "missing_tests.py"),
        (["analyze", "?", "nothing/*.txt"], WRONG_USE, "No file matches"),
        (["analyze", "x", "tests.py", "--tier", "gpt"], WRONG_USE, "is no tier"),
    ],
)
def test_wrong_use_is_one_sentence_and_2(play, words, code, said):
    left, out, err = play()(*words)

    assert left == code
    assert out == ""
    assert said in err


def test_a_broken_world_leaves_with_3(play, monkeypatch, tmp_path):
    run = play(weak=[GOOD])
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(tmp_path / "file"))

    code, _, err = run("run", *TASK)

    assert code == BROKEN_WORLD
    assert "cannot be used" in err


def test_a_task_that_nobody_could_be_asked_for_leaves_with_3_and_names_how_to_go_on(play, tmp_path):
    run = play()
    config = tmp_path / "escalation.toml"
    config.write_text(config.read_text().replace("script.json", "missing.json"))

    code, out, err = run("run", *TASK)

    assert code == BROKEN_WORLD
    assert "stopped" in out
    assert "orchestrator run --resume t" in err


def test_an_untrusted_policy_in_the_folder_is_told(play, monkeypatch, tmp_path):
    run = play()
    monkeypatch.delenv("ORCHESTRATOR_CONFIG")
    (tmp_path / "project" / "escalation.toml").write_text("[guards]\nusd_per_day = 900.0\n")

    _, _, err = run("classify", "fix a typo")

    assert "orchestrator trust" in err.replace("\n", " ")


@pytest.mark.parametrize(
    "words", [["--help"], ["run", "--help"], ["batch", "--help"], ["report", "--help"], ["mcp", "--help"]]
)
def test_help_is_told_without_loading_the_engine(words):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cli", *words], capture_output=True, text=True, check=True
    )

    assert "usage: orchestrator" in done.stdout
    assert "pydantic" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("models", [[], ["--scripted"]])
def test_the_demo_delegates_three_tasks_through_the_real_server(models, tmp_path):
    environment = {**os.environ, "ORCHESTRATOR_HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--json", *models],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=True,
    )

    told = json.loads(done.stdout)
    assert [task["status"] for task in told["tasks"]] == ["accepted"] * 3
    assert [task["attempts"] for task in told["tasks"]] == [1, 2, 3]
    assert [task["escalations"] for task in told["tasks"]] == [0, 0, 1]
