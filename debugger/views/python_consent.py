"""The question whether Python may run without a sandbox, and the commands of its buttons."""

from __future__ import annotations

from collections.abc import Callable

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded.python_consents import PythonUse
from debugger.errors import DebuggerError, ForbiddenError
from debugger.session.session import DebugSession
from debugger.store.python_consents import PythonConsent
from debugger.views import state
from debugger.views.auth import identity
from debugger.views.backends import consent_book
from debugger.views.confirmations import confirm_production
from debugger.views.connections import owner
from debugger.views.state import PythonRequest


def confirm_turn(session: DebugSession, command: Callable[[], None], text: str = "") -> bool:
    """Return whether a turn of a session may be sent; ask the user where something is to be agreed to first.

    Args:
        session: The session.
        command: Sends it; called again once the user has answered.
        text: The message in it, which is put back into the box if the user gives it up.
    """
    return confirm_production(session, command, text) and _confirm_python(session, command, text)


def python_use(session: DebugSession) -> PythonUse | None:
    """Return the Python code of the session's version and the way in which it runs.

    ``None`` where it is sandboxed, or runs elsewhere.

    Raises:
        DebuggerError: The version cannot be read.
    """
    backend = session.backend
    if not isinstance(backend, EmbeddedBackend):
        return None
    return backend.python_use(session.workflow_id, session.version_number)


def review(use: PythonUse) -> None:
    """Show the code and ask, apart from any turn."""
    state.page().python_request = PythonRequest(use)


def allow() -> None:
    """Store the consent and do what waits for it."""
    page = state.page()
    request, page.python_request = page.python_request, None
    if request is None:
        return
    try:
        _add(request.use)
    except DebuggerError as error:
        page.error = error
        _put_back(request)
        return
    owner().declined_python.discard(_key(request.use))
    _continue(request)


def decline() -> None:
    """Do what waits without the Python; the answer counts until the browser is closed."""
    page = state.page()
    request, page.python_request = page.python_request, None
    if request is not None:
        owner().declined_python.add(_key(request.use))
        _continue(request)


def dismiss() -> None:
    """Put the question away unanswered; nothing is sent."""
    page = state.page()
    request, page.python_request = page.python_request, None
    if request is not None:
        _put_back(request)


def take_back(workflow_id: str, version_number: int) -> None:
    """Remove a consent; the next turn runs without it."""
    try:
        _check_local()
        consent_book().remove(workflow_id, version_number)
    except DebuggerError as error:
        state.page().error = error


def consents() -> list[PythonConsent]:
    """Return the stored consents, the newest first, where this user's count.

    Raises:
        StoreError: The store cannot be read.
    """
    return consent_book().all() if identity.current_user().is_local else []


def _confirm_python(session: DebugSession, command: Callable[[], None], text: str) -> bool:
    use = python_use(session) if identity.current_user().is_local else None
    if use is None or not use.functions or not use.may_consent or use.has_consent:
        return True
    if _key(use) in owner().declined_python:
        return True
    state.page().python_request = PythonRequest(use, command, text)
    return False


def _add(use: PythonUse) -> None:
    _check_local()
    consent_book().add(use.workflow_id, use.version_number, use.digest, identity.current_user().name)


def _check_local() -> None:
    if not identity.current_user().is_local:
        raise ForbiddenError(
            "Python runs without a sandbox only for a single user on localhost.",
            advice="Install bubblewrap, so that it can be sandboxed.",
        )


def _key(use: PythonUse) -> tuple[str, int, str]:
    return use.workflow_id, use.version_number, use.digest


def _continue(request: PythonRequest) -> None:
    if request.command is not None:
        request.command()


def _put_back(request: PythonRequest) -> None:
    if request.text:
        state.set_widget(state.DRAFT_KEY, request.text)
