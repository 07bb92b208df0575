"""The append-only record, one SQLite file that many processes share: opening, threads, transactions.

One connection on one thread a process; every write is a short `BEGIN IMMEDIATE` in WAL mode, so writers
queue up instead of failing. What the tables hold is asked and told in `records`; `schema` has their columns.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.from_thread
import apsw

from orchestrator.schema import MIGRATIONS

LOGGER = logging.getLogger(__name__)
Result = TypeVar("Result")
BUSY_MILLISECONDS = 20_000


class LedgerError(Exception):
    """The ledger cannot be read or written; no work is begun that could not be recorded."""


class Ledger:
    """One file, opened at first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._connection: apsw.Connection | None = None
        self._later: list[Callable[[apsw.Connection], object]] = []

    def later(self, tell: Callable[[apsw.Connection], object]) -> None:
        """Have `tell` called inside the next transaction of this process, which spares one of its own.

        For what may be lost if the process dies before that.
        """
        self._later.append(tell)

    async def read(self, ask: Callable[[apsw.Connection], Result]) -> Result:
        """Call `ask` with the connection, on the ledger's thread.

        Raises:
            LedgerError: The file cannot be opened or read.
        """
        return await self._on_thread(ask)

    async def write(self, tell: Callable[[apsw.Connection], Result]) -> Result:
        """Call `tell` inside one immediate transaction; all of it is kept, or nothing.

        Raises:
            LedgerError: The file cannot be written; nothing was.
        """
        waiting, self._later = self._later, []

        def transact(connection: apsw.Connection) -> Result:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for one in waiting:
                    _do_apart(connection, one)
                result = tell(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        return await self._on_thread(transact)

    async def aclose(self) -> None:
        """Close the file for good."""
        if self._later:
            await self.write(lambda _: None)
        if self._connection is not None:
            await self._on_thread(lambda connection: connection.close())
        self._thread.shutdown(wait=False)  # waiting here could wait for a thread that waits for this loop

    async def _on_thread(self, work: Callable[[apsw.Connection], Result]) -> Result:
        done = anyio.Event()
        token = anyio.lowlevel.current_token()

        def guarded() -> Result:
            try:
                return work(self._connected())
            except apsw.ConstraintError:
                raise  # our bug, not the world's
            except (apsw.Error, OSError) as error:
                raise LedgerError(_explain(self.path, error)) from error
            finally:
                anyio.from_thread.run_sync(done.set, token=token)

        future = self._thread.submit(guarded)
        with anyio.CancelScope(
            shield=True
        ):  # a write that began is seen through, so that its result is known
            await done.wait()
        return future.result()

    def _connected(self) -> apsw.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection = apsw.Connection(str(self.path))
            connection.set_busy_timeout(BUSY_MILLISECONDS)
            _switch_to_wal(connection)
            connection.pragma("secure_delete", True)
            connection.pragma("synchronous", "normal")
            _migrate(connection)
            self.path.chmod(0o600)
            self._connection = connection
        return self._connection


def _switch_to_wal(connection: apsw.Connection) -> None:
    """Switch to WAL; of two that open a new file at once, SQLite refuses one without waiting."""
    deadline = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.pragma("journal_mode", "wal")
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # on the ledger's own thread
        else:
            return


def _do_apart(connection: apsw.Connection, tell: Callable[[apsw.Connection], object]) -> None:
    """Do what waited in a savepoint of its own: its failure must not take the rest with it."""
    try:
        with connection:
            tell(connection)
    except Exception:  # whatever it was, a paid answer may ride on the same transaction
        LOGGER.exception("What waited to be written with the next transaction could not be")


def _migrate(connection: apsw.Connection) -> None:
    known = len(MIGRATIONS)
    if connection.pragma("user_version") == known:
        return
    connection.execute("BEGIN IMMEDIATE")
    version = connection.pragma("user_version")  # another process may have been faster
    for migration in MIGRATIONS[version:]:
        connection.execute(migration)
    if version < known:
        connection.pragma("user_version", known)
    connection.execute("COMMIT")
    if version > known:
        raise LedgerError(
            f"This ledger was written by a newer release: schema {version}, this one knows {known}. "
            "Install that release, or point ORCHESTRATOR_HOME to another folder."
        )


def _explain(path: Path, error: Exception) -> str:
    if isinstance(error, apsw.FullError):
        cause = "the disk is full. Free some space"
    elif isinstance(error, apsw.ReadOnlyError | apsw.CantOpenError | PermissionError):
        cause = "it cannot be opened for writing. Make its folder writable"
    elif isinstance(error, apsw.NotADBError | apsw.CorruptError):
        cause = "it is not a ledger, or damaged. Move it away"
    else:
        cause = f"{error}. Look at the disk"
    return f"The ledger {str(path)!r} cannot be used: {cause}, or set ORCHESTRATOR_HOME to another folder."
