import shutil
import subprocess
import sys
import uuid

import anyio
import pytest

from sandbox.errors import SandboxUnavailable
from sandbox.program import Program
from sandbox.seatbelt import Seatbelt, profile
from tests.sandbox import boxes
from tests.sandbox.attempts import processes_with, python


def test_everything_is_denied_but_what_is_named():
    rules = profile(["/private/tmp/run"], ["/opt/tool"]).splitlines()

    assert rules[:2] == ["(version 1)", "(deny default)"]
    assert "(deny network*)" in rules
    assert '(allow file-write* (subpath "/private/tmp/run"))' in rules
    [writing] = [rule for rule in rules if rule.startswith("(allow file-write*")]
    assert "/opt/tool" not in writing
    [reading] = [rule for rule in rules if rule.startswith('(allow file-read* (subpath "/usr")')]
    assert '(subpath "/opt/tool")' in reading
    assert "/Users" not in reading


def test_a_program_may_be_found_through_folders_that_it_cannot_read():
    rules = profile([], ["/Users/me/tool/bin"])

    assert '(literal "/Users/me")' in rules
    assert '(subpath "/Users/me")' not in rules
    assert '(literal "/Users/me/tool/bin")' not in rules


def test_a_path_cannot_add_a_rule():
    rules = profile(['/tmp/a") (allow default) ("\\'], [])

    assert '(subpath "/tmp/a\\") (allow default) (\\"\\\\")' in rules
    with pytest.raises(ValueError, match="control character"):
        profile(["/tmp/a\n(allow default)"], [])


@pytest.mark.skipif(shutil.which("sandbox-exec") is not None, reason="this is a macOS")
async def test_without_apples_program_nothing_is_run():
    with pytest.raises(SandboxUnavailable, match="no '/usr/bin/sandbox-exec', which macOS has"):
        await Seatbelt().run(Program(("true",)))


async def test_a_program_of_that_name_that_confines_nothing_is_refused():
    with pytest.raises(SandboxUnavailable, match="Seatbelt does not hold"):
        await Seatbelt(boxes.unconfined()).check()


async def test_one_that_refuses_everything_is_told(tmp_path):
    broken = tmp_path / "sandbox-exec"
    broken.write_text("#!/bin/sh\necho 'sandbox-exec: sandbox_apply: Operation not permitted' >&2\nexit 71\n")
    broken.chmod(0o755)

    with pytest.raises(SandboxUnavailable, match="sandbox_apply: Operation not permitted"):
        await Seatbelt(str(broken)).check()


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
async def test_a_process_that_left_its_session_is_ended_once_it_was_seen():
    marker = f"left-{uuid.uuid4()}"
    code = f"import os, time  # {marker}\nif os.fork() == 0: os.setsid(); time.sleep(300)\ntime.sleep(1)"

    with anyio.fail_after(20):
        await Seatbelt(boxes.unconfined()).run(python(code))

    assert not processes_with(marker)


@pytest.mark.skipif(sys.platform != "darwin", reason="only macOS has Seatbelt")
async def test_seatbelt_holds_on_macos():
    assert "holds" in await Seatbelt().check()


def test_importing_it_starts_nothing():
    code = "import sys, sandbox.seatbelt; print('asyncio' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
