"""Nothing that is unsafe beyond doubt comes in unseen; what was there before is not the candidate's."""

import json

import pytest

from sandbox.choose import choose
from validators.hazards import find_hazards
from validators.scanning import Scan
from validators.security import Security, conclude_security, read_bandit
from validators.toolchains import find_tool
from validators.validator import Given
from validators.verdict import Candidate, Diagnostic, Receipt

KEY = "-----BEGIN RSA PRIVATE " + "KEY-----\n" + "MIIEowIBAAKCAQEA" * 4 + "\n"
SHELL = "import os\n\n\ndef f(name):\n    os.system(f'rm {name}')\n"
needs_bandit = pytest.mark.skipif(find_tool(["bandit"]) is None, reason="bandit is not installed")


async def judge(files, language="python", **given):
    return await Security(choose()).judge(Candidate(files, language), Given(**given))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (SHELL, "shell_injection"),
        ("subprocess.run(f'ls {a}', shell=True)\n", "shell_injection"),
        ("subprocess.check_output('ls %s' % a, shell=True)\n", "shell_injection"),
        ("subprocess.check_output('ls %s %s' % (A, b), shell=True)\n", "shell_injection"),
        ("os.popen('ls ' + a)\n", "shell_injection"),
        ("os.popen('ls ' + a + ' -l')\n", "shell_injection"),
        ("os.system('ls {}'.format(a))\n", "shell_injection"),
        ("os.system('ls {b}'.format(b=f()))\n", "shell_injection"),
        ("os.system(f'ls {a[0]} {B}')\n", "shell_injection"),
        ("os.system(f'ls {self.name}')\n", "shell_injection"),
        ("os.system(f'ls {f(a)}')\n", "shell_injection"),
        ("eval(input())\n", "code_injection"),
        ("exec(request.form['a'])\n", "code_injection"),
        ("eval(sys.argv[1])\n", "code_injection"),
        (f'K = """{KEY}"""\n', "private_key"),
        ("T = 'ghp_" + "a1B2" * 9 + "'\n", "secret"),
        ("T = 'AKIA" + "A1B2C3D4" * 2 + "'\n", "secret"),
    ],
)
async def test_a_certain_hazard_fails(text, code):
    verdict = await judge({"a.py": text})

    assert verdict.status == "failed"
    assert [(one.file, one.code) for one in verdict.diagnostics] == [("a.py", code)]


@pytest.mark.parametrize(
    "text",
    [
        "os.system('ls')\n",
        "subprocess.run(['ls', a])\n",
        "subprocess.run(f'ls {a}')\n",
        "subprocess.run(f'ls {a}', shell=False)\n",
        "subprocess.run(command, shell=True)\n",
        "os.system(f'ls {shlex.quote(a)}')\n",
        "os.system(f'ls {FOLDER}')\n",
        "os.system(f'ls {1}')\n",
        "os.system('ls ' + 'b')\n",
        "os.system(a + b)\n",
        "os.system(f'ls {len(a)}')\n",
        "os.system(f'ls')\n",
        "f()(a)\n",
        "os.system()\n",
        "eval('1 + 1')\n",
        "self.a.run(f'{a}', shell=True)\n",
        "ast.literal_eval(input())\n",
        "HEAD = '-----BEGIN RSA PRIVATE KEY-----'\n",
        "KEY = 'AKIAIOSFODNN7EXAMPLE'\n",
        "def broken(:\n",
    ],
)
def test_what_may_be_right_is_left_alone(text):
    assert find_hazards({"a.py": text}) == ()


def test_a_key_is_found_in_any_language_and_a_call_only_in_python():
    found = find_hazards({"a.js": SHELL, "b.pem.go": f"x\n{KEY}"})

    assert [(one.file, one.line, one.code) for one in found] == [("b.pem.go", 2, "private_key")]


@pytest.mark.parametrize("text", [f"eval({'-' * 100_000}1)\n", f"eval({'a.' * 2_000}b)\n"])
def test_code_that_nests_too_deep_is_left_alone(text):
    assert find_hazards({"a.py": text}) == ()


async def test_what_the_workspace_already_had_is_not_the_candidates(tmp_path):
    (tmp_path / "a.py").write_text(SHELL)

    verdict = await judge({"a.py": f"x = 1\n{SHELL}"}, workspace=str(tmp_path))

    assert verdict.status != "failed"


async def test_a_scanner_that_is_missing_is_named_with_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    verdict = await judge({"a.py": "x = 1\n"})

    assert verdict.status == "unavailable"
    assert verdict.reason.startswith("'bandit' is not installed here. Install it (`pipx install bandit`")


async def test_a_language_that_no_scanner_knows_is_unavailable_not_passed():
    verdict = await judge({"a.go": "package a\n"}, "go")

    assert (verdict.status, verdict.confidence) == ("unavailable", 0.0)


@needs_bandit
async def test_the_scanner_fails_what_it_is_sure_of_and_nothing_silences_it():
    sure = await judge({"a.py": "import requests\nrequests.get('https://a', verify=False)  # nosec\n"})
    clean = await judge({"a.py": "x = 1\n"})

    assert (sure.status, sure.diagnostics[0].code) == ("failed", "B501")
    assert clean.status == "passed"


RECEIPT = Receipt(tool="bandit", exit_code=1)
ERROR = Diagnostic("e", "a.py", 1)
WARNING = Diagnostic("w", "a.py", 1, severity="warning")


@pytest.mark.parametrize(
    ("scans", "status"),
    [
        ([], "unavailable"),
        ([Scan(problem="none")], "unavailable"),
        ([Scan(receipt=RECEIPT)], "passed"),
        ([Scan((WARNING,), receipt=RECEIPT)], "passed"),
        ([Scan((ERROR,), receipt=RECEIPT)], "failed"),
        ([Scan((ERROR,), receipt=RECEIPT), Scan(problem="none")], "failed"),
        ([Scan((WARNING,), receipt=RECEIPT), Scan(problem="none")], "unavailable"),
    ],
)
def test_only_a_scan_that_ran_and_found_no_error_passes(scans, status):
    assert conclude_security(scans).status == status


@pytest.mark.parametrize(
    ("severity", "confidence", "read"),
    [
        ("HIGH", "HIGH", "error"),
        ("HIGH", "MEDIUM", "warning"),
        ("MEDIUM", "HIGH", "warning"),
        ("LOW", "HIGH", None),
    ],
)
def test_grades_become_severities(severity, confidence, read):
    remark = {
        "issue_text": "m",
        "filename": "./a.py",
        "line_number": 3,
        "col_offset": 0,
        "test_id": "B1",
        "issue_severity": severity,
        "issue_confidence": confidence,
    }

    assert [one.severity for one in read_bandit(json.dumps({"results": [remark]}))] == (
        [read] if read else []
    )
