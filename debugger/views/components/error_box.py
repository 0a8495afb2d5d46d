"""Errors and problems of workflows, as users read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from zlib import crc32

import streamlit as st
from streamlit.errors import StreamlitDuplicateElementKey

from debugger.boundary import release_line
from debugger.errors import (
    AuthenticationError,
    DebuggerError,
    ExpressionError,
    RateLimitError,
    ServerError,
    UnexpectedError,
)
from debugger.graph.checks import Problem
from debugger.views import state
from debugger.views.components.markdown import count, plain
from debugger.views.help_links import error_place, help_link
from debugger.views.problem_report import REPORT_FILE, log_unexpected_error, page_report
from debugger.views.state import LastAction, PageLinks

_REPORT_HEIGHT = 240


def show_error(error: DebuggerError, *, links: bool = True) -> None:
    """Draw an error in the place of what it is about: event, advice, and links.

    One that is a fault of this program has the folded problem report.

    Args:
        error: The error.
        links: Whether an error of the key comes with a link to the page on which another is entered.
    """
    _sentence(error)
    _links(error, has_connection=links)
    _problem_report(error)


def show_failures(
    place: str = "page", of_turn: DebuggerError | None = None, *, has_connection_link: bool = True
) -> None:
    """Draw the error of the last action, and of the turn, over the page; each can be closed.

    What is below keeps its place. An error that a field shows is not repeated.

    Args:
        place: Names what it is drawn in, the page or a dialog: a dialog is above the page.
        of_turn: The error in which the turn ended.
        has_connection_link: As for `show_error`.
    """
    last = state.record(LastAction)
    is_at_field = bool(last.field) and not isinstance(last.error, UnexpectedError)
    errors = [
        error
        for error in (None if is_at_field else last.error, None if of_turn is last.closed else of_turn)
        if error is not None
    ]
    if not errors:
        return
    with st.container(key=f"failures_{place}", gap="xsmall"):
        for at, error in enumerate(dict.fromkeys(errors)):
            _closable(
                error,
                f"failure_{place}_{at}",
                has_connection_link=has_connection_link,
                is_of_turn=error is of_turn,
            )


@contextmanager
def error_field(key: str) -> Iterator[None]:
    """Draw the error that a field has caused below it, over what is there; it can be closed.

    The action that the field calls names the field in `LastAction.field`.

    Args:
        key: The key of the field.
    """
    last = state.record(LastAction)
    with st.container(key=f"field_{key}", gap=None):
        yield
        if last.field == key and last.error is not None and not isinstance(last.error, UnexpectedError):
            with st.container(key=f"failures_at_{key}"):
                _closable(last.error, f"failure_at_{key}")


def _closable(
    error: DebuggerError, key: str, *, has_connection_link: bool = True, is_of_turn: bool = False
) -> None:
    """Draw an error with its links and a button that closes it, and the report on a fault of this program."""
    with st.container(key=key, gap="xxsmall"):
        _sentence(error)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _links(error, has_connection=has_connection_link)
            st.space("stretch")
            st.button(
                "Close the message",
                key=f"close_{key}",
                icon=":material/close:",
                type="tertiary",
                on_click=_close,
                args=(error, is_of_turn),
            )
        _problem_report(error)


def _close(error: DebuggerError, is_of_turn: bool) -> None:
    """Remove an error of the last action, and note one of a turn as closed.

    The session keeps the latter; `LastAction.closed` hides it.
    """
    last = state.record(LastAction)
    if is_of_turn:
        last.closed = error
    if last.error is error:
        last.error = None


def _sentence(error: DebuggerError) -> None:
    """Draw what an error says: its sentence with the advice, an excerpt below, and further facts.

    The texts leave through the boundary, which masks secrets; Markdown in them is escaped.
    """
    sentence, _, excerpt = release_line(error.message).partition("\n")
    if isinstance(error, ExpressionError):
        sentence = f"Column {error.column}: {sentence}"
        excerpt = release_line(str(error)).partition("\n")[2]
    parts = sentence if sentence.endswith((".", "!", "?", ":")) else f"{sentence}."
    st.error(plain(f"{parts} {error.advice}".rstrip()), icon=":material/error:")
    if excerpt:
        st.code(excerpt, language=None)
    facts = _facts(error)
    if facts:
        st.caption(plain(" · ".join(facts)))


def _links(error: DebuggerError, *, has_connection: bool) -> None:
    connection_page = state.record(PageLinks).by_name.get("connection")
    if has_connection and isinstance(error, AuthenticationError) and connection_page is not None:
        st.page_link(connection_page, label="Open Connection", icon=":material/cable:")
    help_link(error_place(error))


def _problem_report(error: DebuggerError) -> None:
    """Draw the folded report on a fault of this program; nothing for another error."""
    if isinstance(error, UnexpectedError):
        with st.expander("Problem report", icon=":material/description:", type="compact"):
            _report(page_report(error))


def show_backend_error(error: DebuggerError) -> None:
    """Draw why the backend cannot be opened, with a link to the page on which another is chosen.

    Raises `KeyError` before the navigation has its pages.
    """
    show_error(error)
    st.page_link(
        state.record(PageLinks).by_name["connection"], label="Open Connection", icon=":material/cable:"
    )


@contextmanager
def show_unexpected_errors(what: str) -> Iterator[None]:
    """Draw an exception of a part of the page; one that nothing expects is logged and has a report.

    Args:
        what: Names the part, as the beginning of a sentence.
    """
    try:
        yield
    except DebuggerError as error:
        show_error(error)
    except Exception as error:
        show_error(log_unexpected_error(what, error))


def _report(text: str) -> None:
    """Draw the text of a report, with a button to download it.

    A second button for the same text is left out.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        # Two boxes with one error are one report: the second has the text alone.
        with suppress(StreamlitDuplicateElementKey):
            st.download_button(
                "Download report",
                text,
                REPORT_FILE,
                "text/plain",
                key=f"problem_report_{crc32(text.encode())}",
                on_click="ignore",
                icon=":material/download:",
            )
        st.caption("It contains no keys, messages or values of variables.")
    st.code(text, language=None, height=_REPORT_HEIGHT, wrap_lines=True)


def _facts(error: DebuggerError) -> list[str]:
    """Return what the sentence of an error does not say; empty where there is nothing more.

    It is the request's id of a server's failure, and the seconds after which a limit ends.
    """
    facts = []
    if isinstance(error, ServerError) and error.request_id:
        facts.append(f"Request id: {error.request_id}")
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        facts.append(f"Try again in {error.retry_after:g} s")
    return facts


_MOST_SHOWN = 30
_LOOKS = {"error": ("red", ":material/error:"), "warning": ("orange", ":material/warning:")}


def problems_title(problems: Sequence[Problem]) -> str:
    """Return the number of errors and that of warnings, in words; empty without any."""
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    parts = [(errors, "error"), (warnings, "warning")]
    return ", ".join(count(number, noun) for number, noun in parts if number)


def show_problems(problems: Sequence[Problem]) -> None:
    """Draw the first `_MOST_SHOWN` problems, a line each with its excerpt, and the number of the others."""
    for problem in problems[:_MOST_SHOWN]:
        colour, icon = _LOOKS[problem.level]
        sentence, _, excerpt = problem.message.partition("\n")
        st.caption(f":{colour}[{icon}] {plain(sentence)} {plain(problem.advice)}")
        if excerpt:
            st.code(excerpt, language=None)
    if len(problems) > _MOST_SHOWN:
        st.caption(f"and {len(problems) - _MOST_SHOWN} more")
