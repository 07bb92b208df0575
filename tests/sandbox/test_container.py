import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from sandbox.container import Container, Way
from sandbox.errors import SandboxUnavailable
from sandbox.program import Limits, Program
from tests.sandbox import boxes, images


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Puts an engine on PATH that writes down its words and says why it fails; returns how to read them."""

    def make(name, said):
        noted = tmp_path / "words"
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho \"$@\" >> {noted}\necho '{said}' >&2\nexit 125\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return lambda: noted.read_text().splitlines()

    return make


async def test_without_an_engine_both_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SandboxUnavailable, match="'podman' is not on PATH.*'docker' is not on PATH.*Install"):
        await Container().check()


@pytest.mark.parametrize("said", ["Error: a:1: image not known", "No such image: a:1"])
async def test_an_image_that_is_not_there_is_told_with_how_to_get_it(engine, said):
    engine("podman", said)

    with pytest.raises(SandboxUnavailable, match="The image 'a:1' is not here. Fetch it: `podman pull a:1`"):
        await Container("a:1", (Way("podman"),)).run(Program(("true",)))


async def test_what_the_engine_says_is_handed_on(engine):
    engine("docker", "Cannot connect to the daemon")

    with pytest.raises(SandboxUnavailable, match="'docker' says 'Cannot connect to the daemon'"):
        await Container("a:1", (Way("docker", relayed=True),)).check()


@pytest.mark.parametrize("name", ["podman", "docker"])
async def test_nothing_is_fetched_shared_or_kept(engine, name):
    words = engine(name, "no")

    with pytest.raises(SandboxUnavailable):
        await Container("a:1", (Way(name, relayed=name == "docker"),)).check()

    ran, asked, removed, *again = words()
    for word in ("--pull never", "--network none", "--read-only", "--cap-drop ALL", "no-new-privileges"):
        assert word in ran
    assert "seccomp=" in ran
    assert "--privileged" not in ran
    assert asked.startswith("inspect")
    assert removed.startswith("rm --force --volumes")
    assert removed.split()[-1] == asked.split()[-1]
    assert removed.split()[-1] in ran
    assert set(again) == {removed}  # an engine that refuses is asked again


async def test_where_control_groups_are_closed_podman_goes_without(engine):
    words = engine("podman", "no")

    with pytest.raises(SandboxUnavailable):
        await Container("a:1", (Way("podman", counted=False),)).check()

    assert "--cgroups=disabled" in words()[0]
    assert "--memory" not in words()[0]


async def test_a_path_that_the_engine_would_split_is_refused(engine, tmp_path):
    engine("podman", "no")

    with pytest.raises(SandboxUnavailable, match="Take the comma out of it"):
        await known().run(Program(("true",), readable=(f"{tmp_path}/a,target=/etc",)))


@pytest.mark.parametrize("path", ["/", str(Path.home())])
async def test_a_whole_home_is_never_shown(engine, path):
    engine("podman", "no")

    with pytest.raises(ValueError, match="too wide"):
        await known().run(Program(("true",), readable=(path,)))


@pytest.mark.slow
async def test_what_is_shown_can_be_read_and_not_written(tmp_path):
    box = boxes.make("container")
    (tmp_path / "a.jar").write_text("downloaded")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    words = f"cat {tmp_path}/a.jar; touch {tmp_path}/planted"

    execution = await box.run(Program(("sh", "-c", words), readable=(str(tmp_path),)))

    assert execution.stdout == "downloaded"
    assert not (tmp_path / "planted").exists()


@pytest.mark.slow
async def test_tools_are_the_images_own():
    box = boxes.make("container")

    execution = await box.run(Program(("/opt/host/only/sh", "-c", "id -u; pwd")))

    uid, folder = execution.stdout.split()
    assert int(uid) >= 50_000
    assert folder == "/sandbox"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["container", "container with a relay"])
async def test_no_container_is_left_whatever_happens(name):
    box = boxes.make(name)
    sleeping = Program((sys.executable, "-c", "import time; time.sleep(300)"), limits=Limits(seconds=0.5))

    with anyio.fail_after(60):
        timed_out = await box.run(sleeping)
        with anyio.move_on_after(1):
            await box.run(Program(sleeping.argv))

    assert timed_out.end == "timed_out"
    listed = await anyio.run_process(["podman", "ps", "-a", "--format", "{{.Names}} {{.Command}}"])
    assert "time.sleep(300)" not in listed.stdout.decode()


@pytest.mark.slow
async def test_the_death_of_the_server_ends_the_container():
    boxes.make("container")
    code = f"""
import anyio, sys
from sandbox.container import Container
from sandbox.program import Program
async def main():
    box = Container({images.IMAGE!r})
    await box.check()
    async with anyio.create_task_group() as group:
        group.start_soon(box.run, Program((sys.executable, "-c", "import time; time.sleep(301)")))
        await anyio.sleep(1.5)
        print("started", flush=True)
anyio.run(main)
"""
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert server.stdout.readline() == "started\n"

    server.kill()
    server.communicate()

    with anyio.fail_after(20):
        while "time.sleep(301)" in await running():  # noqa: ASYNC110 - nobody tells
            await anyio.sleep(0.1)


def known():
    """Return a container whose way was found before."""
    box = Container("a:1", ())
    box._way = Way("podman")
    return box


async def running():
    return (await anyio.run_process(["podman", "ps", "-a", "--format", "{{.Command}}"])).stdout.decode()
