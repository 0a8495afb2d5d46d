"""The tree of the errors that users read.

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
    │   ├── EditConflictError         409   another user has changed it meanwhile; knows what is stored now
    │   └── RerunTokenError           409   a re-run token that cannot be redeemed
    ├── NotStartableError             500   a graph that no run can start in
    ├── RunError                      500   a run cannot go on; ends it with `failed`
    │   └── ConditionError            500   a condition that cannot be evaluated
    ├── UnsupportedError              501   this backend or engine does not do that
    ├── StoreError                    503   the database cannot be opened, read or written
    │   ├── StoreDisconnectedError    503   it does not answer, or not any more
    │   ├── StoreFileError            503   its file was deleted, moved or replaced while it was open
    │   ├── StoreDamagedError         503   a page of it is damaged
    │   └── TurnNotStoredError        409   a turn ran and its result is not on record; has its calls
    ├── SettingsError                 500   a setting has a value that means nothing
    ├── UnexpectedError               500   a fault of this program; its cause is the exception
    └── ApiError                      502   the hosted API failed a request
        ├── AuthenticationError       401   no key, or a key that is not accepted
        ├── ForbiddenError            403   the key is good and its owner may not
        ├── RateLimitError            429   too many requests; knows how long to wait
        ├── ServerError               502   the server failed; knows its request id
        ├── ConnectionFailedError     502   nothing answers there
        ├── RequestTimeoutError       504   no answer in time
        ├── NotExecutedError          502   the turn was sent and is not on record
        ├── OutcomeUnknownError       504   the turn was sent; unknown whether it was executed
        └── AnswerError               502   the answer is not the protocol
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


def extra_advice(extras: str) -> str:
    """Return how a missing extra is installed; no package index has this program.

    Args:
        extras: Its name, or several with commas between them.
    """
    return (
        f"Install it: in a checkout pip install '.[{extras}]', else pip install 'PATH/OF/THE.whl[{extras}]'."
    )


class DebuggerError(Exception):
    """An error that the user can act on.

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
    """A malformed value from outside: an id, a run input, a state."""

    status = 422


class InputJsonError(InputError):
    """Text that is not JSON. ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, *, line: int, column: int, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.line = line
        self.column = column


class WorkflowError(DebuggerError):
    """A workflow document that breaks a rule of the graph.

    ``category`` and ``message`` become the API's ``{"message": category, "error": rule}``
    (``platform.md#errors``).
    """

    status = 400

    def __init__(self, message: str, *, category: str = "Invalid workflow", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.category = category


class ExpressionError(DebuggerError):
    """A condition or a template that does not parse.

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
        start = self.text.rfind("\n", 0, self.column - 1) + 1
        return self.text[start:].split("\n", 1)[0], self.column - start


class NotFoundError(DebuggerError):
    """A well-formed id that nothing has."""

    status = 404


class RunEndedError(NotFoundError):
    """A turn sent to a run that is over."""


class ConflictError(DebuggerError):
    """Two turns of one run at once, or an overtaken change."""

    status = 409


class StaleTurnError(ConflictError):
    """A turn with an outdated number; nothing was executed.

    ``turn_number`` is the number of the run's last finished turn, ``None`` where it is not known.
    """

    def __init__(self, message: str, *, turn_number: int | None = None, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.turn_number = turn_number


class TurnInProgressError(ConflictError):
    """A turn sent while another one or background work is being executed."""


class EditConflictError(ConflictError):
    """A change of something that another user has changed since its author has seen it; nothing was stored.

    ``present`` is what is stored now and ``revision`` its revision; ``None`` and 0 where it was deleted.
    ``changed_by`` and ``changed_at`` (ISO 8601, UTC) are empty where they are not known.
    """

    def __init__(
        self,
        message: str,
        *,
        present: Any = None,
        revision: int = 0,
        changed_by: str = "",
        changed_at: str = "",
        advice: str = "",
    ) -> None:
        """Hold what is stored, its revision, and who changed it when; what is not known is empty."""
        super().__init__(message, advice=advice)
        self.present = present
        self.revision = revision
        self.changed_by = changed_by
        self.changed_at = changed_at


class RerunTokenError(ConflictError):
    """A re-run token that cannot be redeemed: used, expired or foreign."""


class NotStartableError(DebuggerError):
    """A graph that no run can start in."""


class RunError(DebuggerError):
    """A run that cannot continue; it ends with status ``failed``.

    It records a ``workflow_error`` event.
    """

    fillers: tuple[str, ...] = ()
    """Fillers that were said while the model's answer was late."""


class ConditionError(RunError):
    """A condition that cannot be evaluated on these values."""


class UnsupportedError(DebuggerError):
    """An operation that this backend or engine does not have."""

    status = 501


class StoreError(DebuggerError):
    """A database that cannot be opened, read or written."""

    status = 503


class StoreDisconnectedError(StoreError):
    """A database that does not answer; transactions are complete or rolled back."""


class StoreFileError(StoreError):
    """A database whose open file is not the one at its path any more; nothing was written."""


class StoreDamagedError(StoreError):
    """A database with a damaged page; other pages may be readable."""


class TurnNotStoredError(StoreError):
    """A turn that ran and whose result is not on record.

    To send it again makes its calls again, so that only the user decides it. The status is 409 and not 503,
    which gateways and clients answer by sending the request again.

    ``calls`` are its calls to the outside, in order, as `debugger.engine.outbound.gateway.made_calls` returns
    them; ``claim_id`` names its entry in the journal of interrupted turns, where it is known.
    """

    status = 409

    def __init__(
        self, message: str, *, calls: Sequence[Mapping[str, Any]] = (), claim_id: str = "", advice: str = ""
    ) -> None:
        """Hold the calls that the turn has made, and the id of its claim; what is not known is empty."""
        super().__init__(message, advice=advice)
        self.calls = tuple(calls)
        self.claim_id = claim_id


class SettingsError(DebuggerError):
    """A setting with an invalid value."""


class UnexpectedError(DebuggerError):
    """A fault of this program: an exception that nothing expects, which is the error's ``__cause__``."""


class ApiError(DebuggerError):
    """A failed request to the hosted API."""

    status = 502

    def __init__(self, message: str, *, advice: str = "", was_sent: bool = True) -> None:
        super().__init__(message, advice=advice)
        self.was_sent = was_sent
        """False where no byte of the request reached the API, so that it certainly was not executed."""


class AuthenticationError(ApiError):
    """A missing or rejected key."""

    status = 401


class ForbiddenError(ApiError):
    """A valid key without the permission."""

    status = 403


class RateLimitError(ApiError):
    """Too many requests.

    ``retry_after`` is the number of seconds to wait, where the server says.
    """

    status = 429

    def __init__(self, message: str, *, retry_after: float | None = None, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.retry_after = retry_after


class ServerError(ApiError):
    """A failure of the server.

    ``request_id`` helps its owners to find the cause. ``is_unreachable`` says that a gateway answered, as the
    server behind it did not.
    """

    def __init__(
        self, message: str, *, request_id: str | None = None, is_unreachable: bool = False, advice: str = ""
    ) -> None:
        """Hold the request's id, if there is one, and whether nothing behind the address could be reached."""
        super().__init__(message, advice=advice)
        self.request_id = request_id
        self.is_unreachable = is_unreachable


class ConnectionFailedError(ApiError):
    """An address where nothing answers.

    ``is_refused`` says that its machine is there, and no server on it.
    """

    def __init__(
        self, message: str, *, advice: str = "", was_sent: bool = True, is_refused: bool = False
    ) -> None:
        super().__init__(message, advice=advice, was_sent=was_sent)
        self.is_refused = is_refused


class RequestTimeoutError(ApiError):
    """A request without an answer in time.

    It may have been executed nevertheless.
    """

    status = 504


class NotExecutedError(ApiError):
    """A lost answer to a turn that the record does not hold.

    The turn can be sent again.
    """


class OutcomeUnknownError(ApiError):
    """A lost answer to a turn whose execution is unknown.

    To send it again may execute it twice, so that only the user decides it.
    """

    status = 504


class AnswerError(ApiError):
    """An answer that breaks the protocol."""
