"""Run programs with limits only: no protection of files, network or secrets that the user can reach."""

import os
import sys
import tempfile

from anyio import to_thread
from anyio.from_thread import check_cancelled

from sandbox.packing import pack
from sandbox.program import Execution, Level, Limits, Program
from sandbox.supervision import Launch, shell_words, supervise

_BLOCK_BYTES = 512
"""What `ulimit -f` of a POSIX shell counts in."""


class Unsandboxed:
    """Runs a program as the user, in a temporary folder, against accidents only.

    A program can read every file of the user, reach the network, and leave a process behind by `setsid`.
    """

    name = "none"
    level: Level = "limits"

    async def run(self, program: Program) -> Execution:
        """Run to the end or to a limit; the processes that can still be found are killed.

        Raises:
            SandboxError: The tree could not be copied.
            UnsafePath: A path in `program.files` could lead out of the working folder.
        """
        packed = await to_thread.run_sync(pack, program, check_cancelled)
        with packed.archive, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            return await supervise(
                Launch(
                    argv=(
                        *shell_words(unpack=not packed.empty, report=program.report_fd),
                        *_limit_words(program.limits),
                        *program.argv,
                    ),
                    environment=_environment(folder) | dict(program.environment),
                    packed=packed,
                    limits=program.limits,
                    contained=False,
                    cwd=folder,
                    polled=not sys.platform.startswith("linux"),
                )
            )

    async def check(self) -> str:
        """Say that nothing holds."""
        return "No sandbox: programs run as you, with limits only, because the policy says `none`."


def _environment(folder: str) -> dict[str, str]:
    search = os.pathsep.join((f"{sys.prefix}/bin", "/usr/local/bin", "/usr/bin", "/bin"))
    return {"HOME": folder, "LANG": "C.UTF-8", "PATH": search, "TMPDIR": folder}


def _limit_words(limits: Limits) -> tuple[str, ...]:
    """Return a shell that limits itself and gives way; processes of one user cannot be counted per run."""
    blocks = max(1, limits.file_bytes // _BLOCK_BYTES)
    script = f'ulimit -c 0; ulimit -t {limits.cpu_seconds}; ulimit -f {blocks}; exec "$@"'
    return ("/bin/sh", "-c", script, "sh")
