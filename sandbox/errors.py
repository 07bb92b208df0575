"""Why a program could not be run; never what the program did."""


class SandboxError(Exception):
    """The sandbox itself is broken."""


class UnsafePath(ValueError):
    """A file of a program could lie outside of its working folder; the message names the path."""


class SandboxUnavailable(SandboxError):
    """No sandbox holds here; the message says how to get one. Execution is refused."""
