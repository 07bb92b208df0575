"""What is installed: our own names alone, with every file that is read at run time."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"mcp_server", "orchestrator", "validators", "backends", "sandbox", "cli"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        yield set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_holds_our_packages_and_nothing_else(wheel):
    names = {name.split("/")[0] for name in wheel}

    assert {name for name in names if not name.endswith(".dist-info")} == PACKAGES


@pytest.mark.slow
def test_the_wheel_holds_every_file_that_is_read_at_run_time(wheel):
    read = [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]

    assert set(read) <= wheel
    assert "orchestrator/escalation.toml" in wheel
