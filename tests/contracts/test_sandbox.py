"""What every sandbox promises, held against each of them."""

import os
import uuid

import anyio
import pytest

from sandbox.errors import SandboxError
from sandbox.program import Limits, Program
from sandbox.seatbelt import Seatbelt
from tests.sandbox import boxes
from tests.sandbox.attempts import processes_with, python


@pytest.fixture(
    params=boxes.params(
        *(
            "bubblewrap",
            "warm bubblewrap",
            "landlock",
            "seatbelt without Apple",
            "none",
            "container",
            "container with a relay",
        ),
        slow=("container", "container with a relay"),
    )
)
def box(request):
    return boxes.make(request.param)


async def test_a_program_that_ends_gives_its_exit_code_and_what_it_wrote(box):
    execution = await box.run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"))

    assert (execution.end, execution.exit_code) == ("exited", 3)
    assert (execution.stdout, execution.stderr) == ("out\n", "err\n")
    assert execution.seconds > 0


async def test_files_stand_in_the_working_folder_before_the_start(box):
    program = python("print(open('pkg/deep/a.txt').read())", files={"pkg/deep/a.txt": "grüß\n"})

    execution = await box.run(program)

    assert execution.stdout == "grüß\n\n"


async def test_a_script_is_executable(box):
    execution = await box.run(Program(argv=("./go",), files={"go": "#!/bin/sh\necho ran\n"}))

    assert execution.stdout == "ran\n"


@pytest.mark.parametrize(
    "path",
    ["../a", "/etc/passwd", "a/../../b", "", "a//b", "./a", "a\\b", "a\nb", "a\0b", "x" * 256, "a/"],
)
async def test_a_path_that_could_leave_the_working_folder_is_refused(box, path):
    with pytest.raises(ValueError, match="The path"):
        await box.run(python("pass", files={path: ""}))


async def test_a_path_below_a_file_is_refused(box):
    with pytest.raises(ValueError, match="cannot be a file and the folder"):
        await box.run(python("pass", files={"a": "", "a/b": ""}))


async def test_a_tree_is_copied_and_never_written(box, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("original")
    (tmp_path / "link").symlink_to("sub/a.txt")
    code = "print(open('link').read(), open('b.txt').read()); open('sub/a.txt', 'w').write('changed')"

    execution = await box.run(python(code, tree=str(tmp_path), files={"b.txt": "added"}))

    assert execution.stdout == "original added\n"
    assert (tmp_path / "sub" / "a.txt").read_text() == "original"
    assert not (tmp_path / "b.txt").exists()


async def test_a_file_takes_the_place_of_the_one_in_the_tree(box, tmp_path):
    (tmp_path / "a.txt").symlink_to("/etc/hostname")

    execution = await box.run(
        python("print(open('a.txt').read())", tree=str(tmp_path), files={"a.txt": "new"})
    )

    assert execution.stdout == "new\n"


async def test_a_path_through_a_link_of_the_tree_is_refused(box, tmp_path):
    (tmp_path / "etc").symlink_to("/etc")

    with pytest.raises(ValueError, match="leads through the link 'etc'"):
        await box.run(python("pass", tree=str(tmp_path), files={"etc/passwd": ""}))


async def test_a_tree_that_is_none_is_said(box, tmp_path):
    with pytest.raises(SandboxError, match="could not be copied"):
        await box.run(python("pass", tree=str(tmp_path / "missing")))


async def test_sockets_and_pipes_of_a_tree_are_left_out(box, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()

    execution = await box.run(python("import os; print(os.listdir())", tree=str(tmp_path)))

    assert execution.stdout == "['file']\n"


async def test_the_environment_is_clean_but_for_what_is_given(box, monkeypatch):
    monkeypatch.setenv("API_KEY", "secret")
    program = python("import os; print(sorted(os.environ))", environment={"GIVEN": "1"})

    execution = await box.run(program)

    assert "'GIVEN'" in execution.stdout
    assert "API_KEY" not in execution.stdout


async def test_a_report_comes_back_apart_from_the_output(box):
    execution = await box.run(python("import os; os.write(3, b'done'); print('out')", report_fd=True))

    assert (execution.report, execution.stdout) == ("done", "out\n")


async def test_without_a_report_there_is_no_descriptor_to_write_it_to(box):
    execution = await box.run(python("import os; os.write(3, b'done')"))

    assert "Bad file descriptor" in execution.stderr
    assert execution.report == ""


async def test_stdin_is_empty(box):
    execution = await box.run(python("import sys; print(repr(sys.stdin.read()))"))

    assert execution.stdout == "''\n"


async def test_a_program_that_takes_too_long_is_ended(box):
    program = python("import time; print('begun', flush=True); time.sleep(60)", limits=Limits(seconds=0.5))

    with anyio.fail_after(20):
        execution = await box.run(program)

    assert (execution.end, execution.stdout) == ("timed_out", "begun\n")


async def test_a_program_that_computes_too_long_is_ended(box):
    with anyio.fail_after(20):
        execution = await box.run(python("while True: pass", limits=Limits(cpu_seconds=1)))

    assert execution.end == "killed"


async def test_a_program_that_writes_without_end_is_ended_and_its_output_cut(box):
    program = python("while True: print('x' * 1000)", limits=Limits(output_bytes=10_000))

    with anyio.fail_after(20):
        execution = await box.run(program)

    assert execution.end == "too_much_output"
    assert len(execution.stdout) == 10_000


async def test_memory_is_counted_over_all_processes(box):
    code = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        block = b"x" * 40_000_000
        time.sleep(60)
time.sleep(60)
"""

    with anyio.fail_after(20):
        execution = await box.run(python(code, limits=Limits(memory_bytes=128 * 1024**2)))

    assert execution.end == "out_of_memory"


async def test_a_file_cannot_grow_past_its_limit(box):
    code = "open('big', 'wb').write(bytes(3_000_000))"

    execution = await box.run(python(code, limits=Limits(file_bytes=1_000_000)))

    assert "File too large" in execution.stderr or "No space left" in execution.stderr


async def test_control_characters_are_taken_out_of_the_output(box):
    code = "import sys; sys.stdout.buffer.write(b'\\x1b[31mred\\x00\\xff\\ttab\\r\\n')"

    execution = await box.run(python(code))

    assert execution.stdout == "[31mred\\xff\ttab\n"


async def test_a_grandchild_that_holds_the_output_is_not_waited_for(box):
    code = "import os, time\nif os.fork() == 0: time.sleep(300)\nprint('parent')"

    with anyio.fail_after(20):
        execution = await box.run(python(code))

    assert (execution.end, execution.exit_code, execution.stdout) == ("exited", 0, "parent\n")


async def test_cancelling_kills_the_program_and_leaves_no_folder(box, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    marker = f"cancelled-{uuid.uuid4()}"

    with anyio.move_on_after(0.5) as scope:
        await box.run(python(f"import time; time.sleep(300)  # {marker}", files={"a": "b"}))

    assert scope.cancelled_caught
    assert not list(tmp_path.iterdir())
    assert not processes_with(marker)


async def test_a_program_that_does_not_exist_is_a_failed_program(box):
    execution = await box.run(Program(argv=("no-such-program",)))

    assert (execution.end, execution.exit_code) == ("exited", 127)


async def test_a_program_that_a_signal_ends_has_the_code_of_a_shell(box):
    execution = await box.run(python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))

    assert (execution.end, execution.exit_code) == ("exited", 139)


async def test_checking_says_what_holds(box):
    if isinstance(box, Seatbelt):
        pytest.skip("nothing holds without Apple; tests/sandbox/test_seatbelt.py")

    assert "." in await box.check()
