import os
import subprocess
from pathlib import Path

import pytest

from sandbox.processes import count_files, descendants, memory_exceeds


@pytest.fixture
def family():
    script = "sleep 60 & sleep 60 & echo ready; wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as parent:
        parent.stdout.readline()
        yield parent.pid
        os.killpg(parent.pid, 9)


def test_descendants_are_found(family):
    assert len(list(descendants(family))) == 2


def test_a_process_that_is_gone_has_none():
    assert list(descendants(2**22 + 1)) == []


def test_memory_is_held_against_its_limit(family):
    assert not memory_exceeds([family], 100 * 1024**2)
    assert memory_exceeds([os.getpid()], 1024**2)


def test_a_process_that_is_gone_holds_no_memory():
    assert not memory_exceeds([2**22 + 1], 0)


def test_shared_pages_count_once():
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        exceeds = memory_exceeds([os.getpid(), other.pid], resident)
        other.stdin.close()

    assert not exceeds


def test_files_of_processes_that_see_the_hosts_folders_are_not_counted(family):
    assert count_files([family, 2**22], ["/tmp"]) == 0
