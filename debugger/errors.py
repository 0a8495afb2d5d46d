"""Every error that is raised on purpose.

::

    DebuggerError                     500   says what happened and, in `advice`, what to do
    ├── InputError                    422   a value from outside is malformed
    │   └── InputJsonError            422   a text is not JSON; knows line and column
    ├── WorkflowError                 400   a workflow document breaks a rule of the graph
    ├── ExpressionError               400   a condition or a template does not parse; knows the column
    ├── NotFoundError                 404   a well-formed id that nothing has
    │   └── RunEndedError             404   a turn sent to a run that is over
    ├── ConflictError                 409   two turns of one run at the same moment
    │   ├── StaleTurnError            409   the run has newer turns than the caller has seen
    │   ├── TurnInProgressError       409   another turn of the run is being executed
    │   └── RerunTokenError           409   a re-run token that cannot be redeemed
    ├── NotStartableError             500   a graph that no run can start in
    ├── RunError                      500   a run cannot go on; ends it with `failed`
    │   └── ConditionError            500   a condition that cannot be evaluated
    ├── UnsupportedError              501   this backend or engine does not do that
    ├── StoreError                    503   the database cannot be opened, read or written
    │   └── StoreLostError            503   it does not answer, or not any more
    ├── SettingsError                 500   a setting has a value that means nothing
    └── ApiError                      502   the hosted API did not do as asked
        ├── AuthenticationError       401   no key, or a key that is not accepted
        ├── ForbiddenError            403   the key is good and its owner may not
        ├── RateLimitError            429   too many requests; knows how long to wait
        ├── ServerError               502   the server failed; knows its request id
        ├── ConnectionFailedError     502   nothing answers there
        ├── RequestTimeoutError       504   no answer in time
        ├── NotExecutedError          502   the turn was sent and is not on record
        ├── OutcomeUnknownError       504   the turn was sent and nothing tells whether it was executed
        └── AnswerError               502   the answer is not the protocol
"""

from __future__ import annotations

from typing import ClassVar


class DebuggerError(Exception):
    """Something a person can act on.

    Args:
        message: What happened and where, in one sentence.
        advice: What to do about it, in one sentence; may be empty.
    """

    status: ClassVar[int] = 500
    """The HTTP status that the server answers with."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".rstrip()


class InputError(DebuggerError):
    """A value from outside is malformed: an id, a run input, a state."""

    status = 422


class InputJsonError(InputError):
    """A text is not JSON. ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, *, line: int, column: int, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.line = line
        self.column = column


class WorkflowError(DebuggerError):
    """A workflow document breaks a rule of the graph.

    ``category`` and ``message`` become the API's ``{"message": category, "error": rule}``
    (``platform/wire.md`` 1.8).
    """

    status = 400

    def __init__(self, message: str, *, category: str = "Invalid workflow", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.category = category


class ExpressionError(DebuggerError):
    """A condition or a template does not parse.

    ``text`` is what was parsed, ``column`` counts from 1; ``str()`` shows both with a caret below.
    """

    status = 400

    def __init__(self, message: str, *, text: str, column: int, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.text = text
        self.column = column

    def __str__(self) -> str:
        line, place = self._line()
        caret = f"{line}\n{' ' * (place - 1)}^"
        return f"column {self.column}: {super().__str__()}\n{caret}"

    def _line(self) -> tuple[str, int]:
        """The line that the column falls in, and the column within it."""
        start = self.text.rfind("\n", 0, self.column - 1) + 1
        return self.text[start:].split("\n", 1)[0], self.column - start


class NotFoundError(DebuggerError):
    """A well-formed id that nothing has."""

    status = 404


class RunEndedError(NotFoundError):
    """A turn was sent to a run that is over."""


class ConflictError(DebuggerError):
    """Two turns of one run at the same moment, or a change that another change overtook."""

    status = 409


class StaleTurnError(ConflictError):
    """The run has newer turns than the caller expects; nothing was executed.

    ``turn_number`` is the number of the run's last finished turn, ``None`` where it is not known.
    """

    def __init__(self, message: str, *, turn_number: int | None = None, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.turn_number = turn_number


class TurnInProgressError(ConflictError):
    """Another turn of the run, or a step of its background work, is being executed; nothing was executed."""


class RerunTokenError(ConflictError):
    """A re-run token cannot be redeemed: it was already, has expired, or is of something else."""


class NotStartableError(DebuggerError):
    """A graph that no run can start in."""


class RunError(DebuggerError):
    """A run cannot go on: it ends with status ``failed`` and a ``workflow_error`` event."""


class ConditionError(RunError):
    """A condition that cannot be evaluated on these values."""


class UnsupportedError(DebuggerError):
    """This backend, or this engine, does not do that."""

    status = 501


class StoreError(DebuggerError):
    """The database cannot be opened, read or written."""

    status = 503


class StoreDisconnectedError(StoreError):
    """The database does not answer, or not any more: what was under way was done as a whole or not at all."""


class SettingsError(DebuggerError):
    """A setting has a value that means nothing."""


class ApiError(DebuggerError):
    """The hosted API did not do as asked."""

    status = 502
    was_sent = True
    """False where no byte of the request reached the API, so that it certainly was not executed."""


class AuthenticationError(ApiError):
    """No key, or a key that is not accepted."""

    status = 401


class ForbiddenError(ApiError):
    """The key is good and its owner may not do this."""

    status = 403


class RateLimitError(ApiError):
    """Too many requests; ``retry_after`` says how many seconds to wait, when the server told."""

    status = 429

    def __init__(self, message: str, *, retry_after: float | None = None, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.retry_after = retry_after


class ServerError(ApiError):
    """The server failed; ``request_id`` is what its owners need to find out why."""

    def __init__(self, message: str, *, request_id: str | None = None, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.request_id = request_id


class ConnectionFailedError(ApiError):
    """Nothing answers at that address."""


class RequestTimeoutError(ApiError):
    """No answer in time. What was sent may have been done nevertheless."""

    status = 504


class NotExecutedError(ApiError):
    """A turn was sent, its answer was lost, and the run's record does not hold it: it can be sent again."""


class OutcomeUnknownError(ApiError):
    """A turn was sent, its answer was lost, and nothing tells whether it was executed.

    To send it again may execute it twice, so that only the user decides it.
    """

    status = 504


class AnswerError(ApiError):
    """The answer is not the protocol."""
