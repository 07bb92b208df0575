"""Why a model could not be asked."""


class BackendError(Exception):
    """The world around a model is broken; a wrong answer is never one of these.

    Attributes:
        backend: The key of the backend in escalation.toml.
        model: The model that was asked, empty when none was.
        retryable: The same request may succeed later without anything being changed.
        worked_on: The server may have worked, and charged, for the request, as far as anybody knows.
        retry_after_seconds: How long the server asked to wait, when it said so.
    """

    retryable = False
    worked_on = True

    def __init__(
        self, message: str, *, backend: str, model: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.backend = backend
        self.model = model
        self.retry_after_seconds = retry_after_seconds


class BackendUnavailable(BackendError):
    """The server does not run, refuses, is overloaded or loses the connection; leads to fallback."""

    retryable = True
    worked_on = False


class ConnectionLost(BackendUnavailable):
    """The connection broke after the request was sent."""

    worked_on = True


class ServerFailed(BackendUnavailable):
    """The server, or one behind it, failed at a request that it had taken."""

    worked_on = True


class NoConnection(BackendUnavailable):
    """Nobody listens there, or the address cannot be reached; nothing was sent."""


class BackendBusy(BackendUnavailable):
    """The server runs and has no room now: rate limit, full queue, overload."""


class ModelLoading(BackendBusy):
    """The server is still loading the model and answers when that is done."""


class BackendTimeout(BackendError):
    """The server accepted the request and then was silent for too long."""

    retryable = True


class ModelNotFound(BackendError):
    """The server does not serve this model; the message lists those it does."""

    worked_on = False


class ContextTooLong(BackendError):
    """The prompt and the answer do not fit the model's context."""

    worked_on = False


class MalformedReply(BackendError):
    """The reply is not what the API promises: HTML, no choices, cut off, empty, JSON that is none."""

    retryable = True


class RequestRefused(BackendError):
    """The server understood and said no: bad key, no credit, content policy, an unknown parameter."""

    worked_on = False
