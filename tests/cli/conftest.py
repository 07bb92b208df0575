"""A stage and a command line on it."""

import pytest

from cli.__main__ import make_parser
from cli.commands import run_command
from tests.behaviour.stage import TESTS, set_stage


@pytest.fixture
def play(tmp_path, monkeypatch, capsys):
    """Set a stage and return a function that runs a command there: exit code, stdout, stderr."""

    def prepare(**answers):
        set_up = set_stage(tmp_path, **answers)
        monkeypatch.chdir(set_up.folder)
        monkeypatch.setenv("ORCHESTRATOR_HOME", str(set_up.home))
        monkeypatch.setenv("ORCHESTRATOR_CONFIG", str(set_up.config))
        (set_up.folder / "tests.py").write_text(TESTS)

        def run(*words):
            code = run_command(make_parser().parse_args(words))
            said = capsys.readouterr()
            return code, said.out, said.err

        return run

    return prepare
