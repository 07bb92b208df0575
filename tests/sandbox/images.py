"""Make a container image of this machine's own Python, shell and archiver, where podman can run one."""

import io
import os
import shutil
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import anyio

from sandbox.container import Container
from sandbox.errors import SandboxUnavailable

IMAGE = "localhost/orchestrator-tests:1"
_PROGRAMS = ("sh", "tar", "env", "true", "cat", "ls", "touch", "id", "sleep", "echo", "rm")
_STANDARD_LIBRARY = ("/usr/lib/python3*", "/usr/lib/*/libffi.so*")
_LEFT_OUT = ("dist-packages", "test", "__pycache__", "config-", "idlelib", "tkinter", "ensurepip")


@cache
def obstacle():
    """Return why no container can be run here, if so; makes the image the first time."""
    if shutil.which("podman") is None:
        return "podman is not installed"
    if shutil.which("python3", path="/usr/bin") is None:
        return "there is no system Python to make an image of"
    known = subprocess.run(["podman", "image", "exists", IMAGE], check=False, capture_output=True)
    if known.returncode != 0:
        made = subprocess.run(
            ["podman", "import", "-q", "-", IMAGE], input=_packed_system(), capture_output=True, check=False
        )
        if made.returncode != 0:
            return f"podman cannot make an image: {made.stderr.decode()}"
    try:
        with ThreadPoolExecutor(1) as apart:  # the caller may stand in a loop already
            apart.submit(anyio.run, Container(IMAGE).check).result()
    except SandboxUnavailable as error:
        return str(error)
    return ""


def _packed_system():
    """Return an archive of what the sandbox's tests start, with the libraries it loads."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("tmp", "proc", "sys", "dev", "run", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for path in sorted(_needed()):
            tar.add(path, arcname=path.lstrip("/"), recursive=False)
    return packed.getvalue()


def _needed():
    programs = [shutil.which(name, path="/usr/bin:/bin") for name in (*_PROGRAMS, "python3")]
    found = {real for program in programs for real in (program, os.path.realpath(program))}
    modules = {
        str(path)
        for pattern in _STANDARD_LIBRARY
        for top in Path("/").glob(pattern[1:])
        for path in (top, *top.rglob("*"))
        if not any(part.startswith(_LEFT_OUT) for part in path.parts)
    }
    loading = [path for path in found | modules if path.endswith(".so") or path in found]
    listed = subprocess.run(["ldd", *loading], capture_output=True, text=True, check=False).stdout
    libraries = {word for word in listed.split() if word.startswith("/") and not word.endswith(":")}
    links = {link for link in ("/bin", "/lib", "/lib64", "/sbin") if Path(link).is_symlink()}
    files = found | modules | libraries | {os.path.realpath(path) for path in libraries}
    return {str(Path(path).parent.resolve() / Path(path).name) for path in files} | links
