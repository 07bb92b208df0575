"""The sandboxes that tests and benchmarks can run on this machine."""

import atexit
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.container import WAYS, Container, Way
from sandbox.landlock import Landlock
from sandbox.seatbelt import Seatbelt
from sandbox.unsandboxed import Unsandboxed
from tests.sandbox import images
from tests.sandbox.warm import Forking

RELAYED = tuple(Way(way.engine, way.words, way.counted, relayed=True) for way in WAYS)
BOXES = {
    "bubblewrap": Bubblewrap,
    "warm bubblewrap": Forking,
    "landlock": Landlock,
    "landlock of Linux 5.13": lambda: Landlock(newest_abi=1),
    "container": lambda: Container(images.IMAGE),
    "container with a relay": lambda: Container(images.IMAGE, RELAYED),
    "seatbelt without Apple": lambda: Seatbelt(unconfined()),
    "none": Unsandboxed,
}


@cache
def unconfined():
    """Return a program that takes the words of `sandbox-exec` and confines nothing."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    program = Path(folder, "sandbox-exec")
    program.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    program.chmod(0o755)
    return str(program)


def obstacle(name):
    """Return why a sandbox cannot be tested here, if so."""
    if not sys.platform.startswith("linux"):
        return "only Linux has it"
    if name.endswith("bubblewrap") and shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    return images.obstacle() if name.startswith("container") else ""


def params(*names, slow=()):
    """Return parameters for a fixture, of which the slow ones are left out of a fast run."""
    return [pytest.param(name, id=name, marks=[pytest.mark.slow] if name in slow else []) for name in names]


def make(name):
    """Return that sandbox, or skip the test with the reason."""
    reason = obstacle(name)
    if reason:
        pytest.skip(reason)
    return BOXES[name]()
