"""Start one container, hand its channel through, and remove it whatever happens.

Started by `sandbox.container` as `python -I -S _container_child.py DESCRIPTOR`, where a plan can be read. Its
stdin is the channel of `sandbox.supervision`. It ends the container when told to terminate, and when the
server dies.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import TypedDict

_TRIES = 5
_SET_PARENT_DEATH_SIGNAL, _SET_SUBREAPER = 1, 36
_CHUNK_BYTES = 65536
_CHANNEL = 3
_GONE_SECONDS, _REST_SECONDS = 10.0, 1.0
_SIGNALLED = 128
_HEARD = frozenset({signal.SIGCHLD, signal.SIGTERM})


class Plan(TypedDict):
    """What the server wants, as it comes in JSON."""

    server: int
    """The process whose death ends this one."""
    argv: list[str]
    """What starts the container in the foreground."""
    relayed: str
    """Where the container connects to; empty where it inherits the channel as descriptor 3."""
    asks_memory: list[str]
    """What prints `true` when the kernel ended something in the container for want of memory."""
    says_memory: str
    """The file that is made then."""
    removes: list[str]
    """What ends and removes the container."""


def main(descriptor: int) -> int:
    """Run the container of the plan and return the exit code of its program."""
    with os.fdopen(descriptor, "rb") as file:
        plan: Plan = json.load(file)
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    library = ctypes.CDLL(None)
    library.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    library.prctl(_SET_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != plan["server"]:
        return 1
    os.dup2(0, _CHANNEL, inheritable=True)
    try:
        return _run(plan)
    finally:
        _remove(plan)


def _run(plan: Plan) -> int:
    listener = _listen(plan["relayed"]) if plan["relayed"] else None
    engine = subprocess.Popen(
        plan["argv"],
        stdin=subprocess.DEVNULL,
        pass_fds=() if listener else (_CHANNEL,),
        preexec_fn=_hear_again,  # noqa: PLW1509 - there are no threads yet
    )
    relay = Thread(target=_relay, args=(listener,), daemon=True)
    if listener:
        relay.start()
    while engine.poll() is None:
        if signal.sigwait(_HEARD) == signal.SIGTERM:
            engine.kill()  # it may wait for its output to be read, which nobody does any more
            return _SIGNALLED + signal.SIGTERM
    if listener:
        relay.join(_REST_SECONDS)
    return engine.returncode if engine.returncode >= 0 else _SIGNALLED - engine.returncode


def _hear_again() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    Path(path).chmod(0o777)
    listener.listen(1)
    return listener


def _relay(listener: socket.socket) -> None:
    """Let one in, make the place vanish before anything else runs, and copy until the container is silent."""
    channel = socket.socket(fileno=os.dup(_CHANNEL))
    inside, _ = listener.accept()
    Path(listener.getsockname()).unlink()
    listener.close()
    Thread(target=_copy, args=(channel, inside), daemon=True).start()
    _copy(inside, channel)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # one of them has gone
        while chunk := source.recv(_CHUNK_BYTES):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


def _remove(plan: Plan) -> None:
    asked = subprocess.run(
        plan["asks_memory"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        preexec_fn=_hear_again,
    )
    if asked.stdout.strip() == b"true":
        Path(plan["says_memory"]).touch()
    for _ in range(_TRIES):  # an engine may refuse while it is still busy with the container
        removed = subprocess.run(
            plan["removes"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            preexec_fn=_hear_again,
        )
        if removed.returncode == 0 or b"no such container" in removed.stderr.lower():
            break
        time.sleep(0.1)
    deadline = time.monotonic() + _GONE_SECONDS
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:  # what watched the container comes back to this process
            if not os.waitpid(-1, os.WNOHANG)[0]:
                time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
