import ctypes
import subprocess
import sys

import anyio
import pytest

from sandbox import _job_child
from sandbox.errors import SandboxUnavailable
from sandbox.job import Job
from sandbox.program import Limits
from tests.sandbox.attempts import python


@pytest.fixture
def box(tmp_path):
    """A job whose child starts the program and enters no job."""
    child = tmp_path / "child.py"
    child.write_text("import subprocess, sys; sys.exit(subprocess.run(sys.argv[4:], stdin=-3).returncode)")
    return Job(str(child))


def test_the_limits_lie_in_memory_as_windows_reads_them():
    limits = _job_child.describe(memory_bytes=1 << 28, processes=8, cpu_seconds=3)

    assert ctypes.sizeof(limits) == 144
    assert _job_child.Limits.job_memory.offset == 120
    assert (limits.job_memory, limits.processes, limits.per_job_time) == (1 << 28, 9, 30_000_000)
    assert limits.flags & 0x2000, "what is left ends with the job's handle"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has jobs")
async def test_where_there_are_no_jobs_nothing_is_run():
    with pytest.raises(SandboxUnavailable, match="has no jobs"):
        await Job().check()


async def test_it_says_that_only_limits_hold(box):
    assert "limits only" in await box.check()
    assert box.level == "limits"


async def test_a_program_ends_with_its_code_and_output(box, monkeypatch):
    monkeypatch.setenv("API_KEY", "secret")
    code = "import os, sys; print(open('a').read(), 'API_KEY' in os.environ); sys.exit(3)"

    execution = await box.run(python(code, files={"a": "file"}))

    assert (execution.end, execution.exit_code, execution.stdout) == ("exited", 3, "file False\n")


async def test_a_program_that_takes_too_long_is_ended(box):
    code = "import time; print('begun', flush=True); time.sleep(60)"

    with anyio.fail_after(20):
        execution = await box.run(python(code, limits=Limits(seconds=0.7)))

    assert (execution.end, execution.stdout) == ("timed_out", "begun\n")


async def test_a_program_that_writes_without_end_is_ended_and_cut(box):
    with anyio.fail_after(20):
        execution = await box.run(python("while True: print('x' * 1000)", limits=Limits(output_bytes=10_000)))

    assert (execution.end, len(execution.stdout)) == ("too_much_output", 10_000)


def test_a_program_that_does_not_exist_is_told():
    words = [sys.executable, "-c", "import sys; sys.path.insert(0, 'sandbox'); import _job_child as child;"]
    words[-1] += "child.enter = print; sys.exit(child.main('1', '1', '1', 'no-such-program'))"

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (127, "no-such-program: No such file or directory\n")
