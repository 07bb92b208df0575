import os
import subprocess
import sys

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.cgroups import counted, hierarchies
from sandbox.program import Limits
from tests.sandbox.attempts import python

V1_MOUNTS = "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\ntmpfs /tmp tmpfs rw 0 0\n"
V2_MOUNTS = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"


@pytest.fixture
def group():
    with counted(Limits(memory_bytes=64 * 1024**2), stored_bytes=0) as made:
        if made is None:
            pytest.skip("no control group can be made here")
        yield made


@pytest.mark.parametrize(
    ("membership", "mounts", "places"),
    [
        ("4:memory:/box\n0::/\n", V1_MOUNTS, ["/sys/fs/cgroup/memory/box"]),
        ("0::/a.slice/b.scope\n", V2_MOUNTS, ["/sys/fs/cgroup/a.slice/b.scope", "/sys/fs/cgroup/a.slice"]),
        ("0::/\n", V2_MOUNTS, ["/sys/fs/cgroup"]),
        ("4:memory:/\n0::/\n", V2_MOUNTS, []),
        ("", V1_MOUNTS, []),
        ("", "", []),
    ],
    ids=["version 1", "version 2", "a container's root", "hybrid without memory", "no member", "none"],
)
def test_where_groups_can_be_made_is_read_from_the_kernel(membership, mounts, places):
    found = hierarchies(membership, mounts)

    assert [str(place) for each in found for place in each.places] == places


def test_a_group_ends_what_takes_too_much_and_knows_it(group):
    eater = subprocess.Popen([sys.executable, "-c", "input(); x = b'x' * 300_000_000"], stdin=subprocess.PIPE)
    group.add(eater.pid)
    assert not group.starved()

    eater.communicate(b"\n")

    assert eater.returncode == -9
    assert group.starved()


def test_a_process_that_has_ended_is_not_added(group):
    ended = subprocess.Popen(["true"])
    ended.wait()

    group.add(ended.pid)

    assert not group.starved()


def test_what_is_left_in_a_group_is_killed_and_the_group_taken_away(group):
    left = subprocess.Popen(["sleep", "300"])
    group.add(left.pid)

    group.remove()

    assert left.wait() == -9
    assert not [folder for _, folder in group.parts if folder.exists()]


async def test_memory_that_is_taken_between_two_looks_is_limited(group):
    """Shared memory, which no limit of a process counts."""
    code = """
import mmap, os, time
time.sleep(0.5)
kept = []
while True:
    kept.append(mmap.mmap(-1, 1 << 27, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | 0x8000))
    os.write(1, b".")
"""
    execution = await Bubblewrap().run(python(code, limits=Limits(memory_bytes=1 << 27, file_bytes=1 << 20)))

    assert execution.end == "out_of_memory"
    assert execution.stdout in {"", "."}


async def test_a_run_that_lasts_is_counted_by_the_kernel_and_a_short_one_is_not(group):
    look = "print(open('/proc/self/cgroup').read())"

    short = await Bubblewrap().run(python(look))
    lasting = await Bubblewrap().run(python(f"import time; time.sleep(0.5); {look}"))

    assert f"orchestrator-{os.getpid()}-" not in short.stdout
    assert f"orchestrator-{os.getpid()}-" in lasting.stdout


async def test_no_group_is_left_after_a_run(group):
    [(_, own)] = group.parts
    await Bubblewrap().run(python("pass"))

    assert [folder.name for folder in own.parent.glob(f"orchestrator-{os.getpid()}-*")] == [own.name]


def test_the_group_of_a_server_that_was_killed_is_taken_away_by_the_next(group):
    [(_, own)] = group.parts
    abandoned = own.parent / f"orchestrator-{2**22 + 1}-abandoned"
    abandoned.mkdir()

    with counted(Limits(), stored_bytes=0):
        pass

    assert not abandoned.exists()
