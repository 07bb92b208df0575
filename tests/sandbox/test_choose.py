import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.choose import FirstThatHolds, Refusing, choose
from sandbox.container import Container
from sandbox.errors import SandboxUnavailable
from sandbox.job import Job
from sandbox.landlock import Landlock
from sandbox.program import Program
from sandbox.seatbelt import Seatbelt
from sandbox.unsandboxed import Unsandboxed


@pytest.mark.parametrize(
    ("name", "platform", "kind"),
    [
        ("bubblewrap", "linux", Bubblewrap),
        ("landlock", "linux", Landlock),
        ("container", "linux", Container),
        ("seatbelt", "darwin", Seatbelt),
        ("auto", "darwin", Seatbelt),
        ("job", "win32", Job),
        ("none", "win32", Unsandboxed),
    ],
)
def test_a_sandbox_is_taken_by_its_name(name, platform, kind):
    assert isinstance(choose(name, platform=platform, allow_unsandboxed=True), kind)


async def test_a_container_is_tried_last_and_only_where_an_image_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    told = await choose("auto", platform="linux", image="none/such").check()
    named = choose("container", platform="linux", image="none/such")

    assert "landlock holds" in told
    with pytest.raises(SandboxUnavailable, match="'podman' is not on PATH.*'docker' is not on PATH"):
        await named.check()


async def test_bubblewrap_is_taken_where_it_holds():
    sandbox = choose("auto", platform="linux")

    execution = await sandbox.run(Program(("echo", "ran")))

    assert execution.stdout == "ran\n"
    assert (sandbox.name, sandbox.level) == ("bubblewrap", "full")
    assert (await sandbox.check()).startswith("bubblewrap holds")


async def test_landlock_is_taken_where_bubblewrap_does_not_hold_and_both_are_explained(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox = choose("auto", platform="linux")

    said = await sandbox.check()

    assert said.startswith("landlock holds")
    assert "Not bubblewrap: No sandbox: 'bwrap' is not on PATH" in said
    assert (sandbox.name, sandbox.level) == ("landlock", "strong")


async def test_where_nothing_holds_the_reason_of_each_is_given():
    sandbox = FirstThatHolds(Refusing("No namespaces."), Landlock(newest_abi=0))

    with pytest.raises(SandboxUnavailable, match=r"No sandbox holds here.*No namespaces\..*has no Landlock"):
        await sandbox.run(Program(("true",)))
    assert sandbox.name == "auto"


def test_a_name_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(
        ValueError, match=r"no sandbox 'docker'\. Take one of auto, bubblewrap, landlock, seatbelt"
    ):
        choose("docker")


def test_running_unsandboxed_needs_to_be_allowed():
    assert isinstance(choose("none", allow_unsandboxed=True, platform="linux"), Unsandboxed)


@pytest.mark.parametrize(
    ("sandbox", "reason"),
    [
        (choose("none"), "allow_unsandboxed = true"),
        (choose("job", platform="win32"), "allow_unsandboxed = true"),
        (choose("auto", platform="win32"), "no sandbox on 'win32' yet"),
        (choose("seatbelt", platform="linux"), "no 'seatbelt' on 'linux'"),
        (choose("bubblewrap", platform="darwin"), "no 'bubblewrap' on 'darwin'"),
    ],
)
async def test_what_cannot_be_run_safely_is_refused_with_the_reason(sandbox, reason):
    with pytest.raises(SandboxUnavailable, match=f"'ls' was not run.*{reason}"):
        await sandbox.run(Program(("ls",)))
    with pytest.raises(SandboxUnavailable, match=reason):
        await sandbox.check()
    assert sandbox.level == "none"
