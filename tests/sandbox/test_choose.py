import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.choose import choose
from sandbox.errors import SandboxUnavailable
from sandbox.program import Program
from sandbox.unsandboxed import Unsandboxed


@pytest.mark.parametrize("name", ["auto", "bubblewrap"])
def test_bubblewrap_is_taken_on_linux(name):
    assert isinstance(choose(name, platform="linux"), Bubblewrap)


def test_a_name_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"no sandbox 'docker'\. Take one of auto, bubblewrap, none"):
        choose("docker")


def test_running_unsandboxed_needs_to_be_allowed():
    assert isinstance(choose("none", allow_unsandboxed=True, platform="linux"), Unsandboxed)


@pytest.mark.parametrize(
    ("sandbox", "reason"),
    [
        (choose("none"), "allow_unsandboxed = true"),
        (choose("auto", platform="darwin"), "no sandbox on 'darwin' yet"),
    ],
)
async def test_what_cannot_be_run_safely_is_refused_with_the_reason(sandbox, reason):
    with pytest.raises(SandboxUnavailable, match=f"'ls' was not run.*{reason}"):
        await sandbox.run(Program(("ls",)))
    with pytest.raises(SandboxUnavailable, match=reason):
        await sandbox.check()
    assert sandbox.level == "none"
