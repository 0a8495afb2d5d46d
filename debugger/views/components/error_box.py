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
    InputJsonError,
    RateLimitError,
    ServerError,
)
from debugger.graph.checks import Problem
from debugger.views import state
from debugger.views.components.markdown import count, plain
from debugger.views.help_links import error_place, help_link
from debugger.views.problem_report import REPORT_FILE, log_unexpected_error, page_report
from debugger.views.state import PageLinks

_REPORT_HEIGHT = 240


def show_error(error: DebuggerError, *, links: bool = True) -> None:
    """Draw an error: event, advice, and the folded problem report.

    Args:
        error: The error.
        links: Whether an error of the key comes with a link to the page on which another is entered.
    """
    sentence, _, excerpt = release_line(error.message).partition("\n")
    if isinstance(error, ExpressionError):
        sentence = f"Column {error.column}: {sentence}"
        excerpt = release_line(str(error)).partition("\n")[2]
    parts = sentence if sentence.endswith((".", "!", "?", ":")) else f"{sentence}."
    st.error(plain(f"{parts} {error.advice}".rstrip()), icon=":material/error:")
    if excerpt:
        st.code(excerpt, language=None)
    connection_page = state.record(PageLinks).by_name.get("connection")
    if links and isinstance(error, AuthenticationError) and connection_page is not None:
        st.page_link(connection_page, label="Open Connection", icon=":material/cable:")
    help_link(error_place(error))
    with st.expander("Problem report", icon=":material/description:", type="compact"):
        st.text("\n".join(_facts(error)))
        _report(page_report(error))


def show_backend_error(error: DebuggerError) -> None:
    """Draw why the backend cannot be opened, with a link to the page on which another is chosen."""
    show_error(error)
    st.page_link(
        state.record(PageLinks).by_name["connection"], label="Open Connection", icon=":material/cable:"
    )


@contextmanager
def show_unexpected_errors(what: str) -> Iterator[None]:
    """Draw an exception of a part of the page, with a report.

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


def _facts(error: DebuggerError) -> Iterator[str]:
    yield f"Kind: {type(error).__name__} (HTTP {error.status})"
    if isinstance(error, InputJsonError):
        yield f"Place: line {error.line}, column {error.column}"
    if isinstance(error, ServerError) and error.request_id:
        yield f"Request id: {error.request_id}"
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        yield f"Try again in: {error.retry_after:g} s"
    cause = error.__cause__
    if cause is not None:
        yield f"Cause: {type(cause).__name__}"


_MOST_SHOWN = 30
_LOOKS = {"error": ("red", ":material/error:"), "warning": ("orange", ":material/warning:")}


def problems_title(problems: Sequence[Problem]) -> str:
    """Return the number of problems by level."""
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    parts = [(errors, "error"), (warnings, "warning")]
    return ", ".join(count(number, noun) for number, noun in parts if number)


def show_problems(problems: Sequence[Problem]) -> None:
    """Draw the list."""
    for problem in problems[:_MOST_SHOWN]:
        colour, icon = _LOOKS[problem.level]
        sentence, _, excerpt = problem.message.partition("\n")
        st.caption(f":{colour}[{icon}] {plain(sentence)} {plain(problem.advice)}")
        if excerpt:
            st.code(excerpt, language=None)
    if len(problems) > _MOST_SHOWN:
        st.caption(f"and {len(problems) - _MOST_SHOWN} more")
