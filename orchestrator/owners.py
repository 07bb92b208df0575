"""Who works on a task: a process of a machine, by a name that tells whether it still lives."""

import os
import secrets
import socket
from pathlib import Path


def name_owner() -> str:
    """Name this process: machine, process id, and chance, since ids come again."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Tell whether a task's owner was a process of this machine that is gone; if in doubt, it lives."""
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(pid)


def _is_zombie(pid: str) -> bool:
    """Tell whether a process has ended and only its parent has not noticed; where nothing tells, it lives."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] == ["Z"]
