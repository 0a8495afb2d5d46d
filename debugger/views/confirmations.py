"""Open questions: sending to production, Python without a sandbox, and edits of two users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from debugger.backends.base_url import host_of, origin_of
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded.python_consents import PythonUse
from debugger.errors import DebuggerError, EditConflictError, ForbiddenError
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.store.consents import PythonConsent
from debugger.views import state
from debugger.views.auth import permissions
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_unexpected_errors
from debugger.views.components.markdown import plain
from debugger.views.connections import HostedConnection, owner
from debugger.views.drafts import set_draft
from debugger.views.state import LastAction


class ProductionRequest(NamedTuple):
    """Pending question whether to send to production."""

    connection_name: str
    host: str
    origin: str
    command: Callable[[], None]
    text: str
    """The message that is sent; it is put back into the box if the user declines."""


class PythonRequest(NamedTuple):
    """Pending question whether Python may run without a sandbox."""

    use: PythonUse
    command: Callable[[], None] | None = None
    """Sends the turn that waits for the answer."""
    text: str = ""
    """The message in it; it is put back into the box if the user gives it up."""


class EditConflict(NamedTuple):
    """Pending question what to do with an edit where another user was faster; see `debugger.views.edits`."""

    place: tuple[str, ...]
    role: Role
    """The role that storing needs."""
    store: Callable[[int], int]
    subject: str
    mine: str
    words: Callable[[Any], str]
    keep_theirs: Callable[[Any], None]
    go_on: Callable[[], None]
    error: EditConflictError | None = None
    """The conflict that storing the edit has met; ``None`` before the first attempt."""


@dataclass
class OpenQuestions:
    """Questions to the user; one is asked at a time."""

    production: ProductionRequest | None = None
    """The question whether to send to production."""
    python: PythonRequest | None = None
    """The question whether Python may run without a sandbox."""
    edit: EditConflict | None = None
    """The question what to do with an edit."""

    @property
    def is_open(self) -> bool:
        """Return whether a question is open; then no other dialog is drawn."""
        return self.production is not None or self.python is not None or self.edit is not None

    def take_edit(self) -> EditConflict | None:
        """Return the question on an edit, which is then closed."""
        question, self.edit = self.edit, None
        return question

    def take_production(self) -> ProductionRequest | None:
        """Return the question on production, which is then closed."""
        request, self.production = self.production, None
        return request

    def take_python(self) -> PythonRequest | None:
        """Return the question on Python, which is then closed."""
        request, self.python = self.python, None
        return request


def confirm_production(session: DebugSession, command: Callable[[], None], text: str = "") -> bool:
    """Return whether a turn may be sent; ask before production.

    The user is prompted once for each connection and origin, until the browser is closed. True for another
    backend, and for one that is not production.

    Args:
        session: The session.
        command: Sends it; called again once the user has agreed.
        text: The message in it, which is put back into the box if the user declines.
    """
    hosted = state.record(HostedConnection)
    settings = hosted.settings
    if session.backend is not hosted.backend or not settings.is_production:
        return True
    origin = origin_of(settings.base_url)
    if (hosted.name, origin) in owner().production_origins:
        return True
    host = host_of(settings.base_url)
    state.record(OpenQuestions).production = ProductionRequest(hosted.name, host, origin, command, text)
    return False


def _decline() -> None:
    _put_back(state.record(OpenQuestions).take_production())


def _agree() -> None:
    request = state.record(OpenQuestions).take_production()
    if request is not None:
        owner().production_origins.add((request.connection_name, request.origin))
        request.command()


@st.dialog("Send to production?", icon=":material/warning:", on_dismiss=_decline)
@show_unexpected_errors("The question")
def production_dialog() -> None:
    """Draw the dialog that asks whether to send to production.

    Without such a question it reruns the page, which closes the dialog. “Send” stores the consent for the
    browser and runs the command; “Do not send” and closing the dialog put the message back into its box. An
    exception while it is drawn is drawn as an error.
    """
    request = state.record(OpenQuestions).production
    if request is None:
        st.rerun()  # only that closes a dialog
    st.markdown(
        f"This sends to the production environment **{plain(request.connection_name)}** at "
        f"**{plain(request.host)}**. Send?"
    )
    st.caption("You are asked once until the browser is closed.")
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Send", key="send_to_production", type="primary", icon=":material/send:", on_click=_agree)
        st.button("Do not send", key="keep_from_production", on_click=_decline)


def confirm_turn(session: DebugSession, command: Callable[[], None], text: str = "") -> bool:
    """Return whether a turn may be sent, or ask the user.

    Args:
        session: The session.
        command: Sends it; called again once the user has answered.
        text: The message in it, which is put back into the box if the user gives it up.
    """
    return confirm_production(session, command, text) and _confirm_python(session, command, text)


def python_use(session: DebugSession) -> PythonUse | None:
    """Return the Python code in the session's version, and how it would be executed.

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
    state.record(OpenQuestions).python = PythonRequest(use)


def allow() -> None:
    """Store the consent that the Python dialog asks for, and run the command that waits for it, if any.

    Does nothing without a question. Where the user is not the single user of a local page, or the store
    cannot take the consent, the error is in `LastAction`, the message is back in its box, and the command is
    not run.
    """
    request = state.record(OpenQuestions).take_python()
    if request is None:
        return
    use = request.use
    try:
        _check_local()
        person = permissions.current_user().name
        local_store().python_consents.add(use.workflow_id, use.version_number, use.digest, person)
    except DebuggerError as error:
        state.record(LastAction).fail(error)
        _put_back(request)
        return
    owner().declined_python.discard(_key(use))
    _continue(request)


def decline() -> None:
    """Run the command that waits for a consent, without the workflow's Python.

    The user is not asked again until the browser is closed.
    """
    request = state.record(OpenQuestions).take_python()
    if request is not None:
        owner().declined_python.add(_key(request.use))
        _continue(request)


def dismiss() -> None:
    """Put the question away unanswered; nothing is sent."""
    _put_back(state.record(OpenQuestions).take_python())


def take_back(workflow_id: str, version_number: int) -> None:
    """Remove the stored consent to the Python of a version, if there is one; the next turn runs without it.

    For a user who is not the single user of a local page, or where the store fails, the error is in
    `LastAction`.
    """
    try:
        _check_local()
        local_store().python_consents.remove(workflow_id, version_number)
    except DebuggerError as error:
        state.record(LastAction).fail(error)


def consents() -> list[PythonConsent]:
    """Return the stored consents, the newest first, where this user's count.

    Raises:
        StoreError: The store cannot be read.
    """
    return local_store().python_consents.all() if permissions.current_user().is_local else []


def _confirm_python(session: DebugSession, command: Callable[[], None], text: str) -> bool:
    """Return whether a turn may be sent as to its Python; else open the question and return false.

    The question is for the single user of a local page and a version with functions that would run without a
    sandbox, for which consent is possible and neither given nor declined. Raises `DebuggerError` where the
    version cannot be read.
    """
    use = python_use(session) if permissions.current_user().is_local else None
    if use is None or not use.functions or not use.may_consent or use.has_consent:
        return True
    if _key(use) in owner().declined_python:
        return True
    state.record(OpenQuestions).python = PythonRequest(use, command, text)
    return False


def _check_local() -> None:
    """Refuse any but the single user of a local page.

    Raises `ForbiddenError` for another user.
    """
    if not permissions.current_user().is_local:
        raise ForbiddenError(
            "Python runs without a sandbox only for a single user on localhost.",
            advice="Install bubblewrap, so that it can be sandboxed.",
        )


def _key(use: PythonUse) -> tuple[str, int, str]:
    return use.workflow_id, use.version_number, use.digest


def _continue(request: PythonRequest) -> None:
    if request.command is not None:
        request.command()


def _put_back(request: ProductionRequest | PythonRequest | None) -> None:
    """Put the message that is not sent back into its box."""
    if request is not None and request.text:
        set_draft(request.text)
