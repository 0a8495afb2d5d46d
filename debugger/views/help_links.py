"""Links into the help, and the place of it that explains an error.

A place is a topic with an anchor, as in ``troubleshooting#the-key-is-refused``.
"""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from debugger import errors
from debugger.views import state
from debugger.views.state import PageLinks

ERROR_PLACES: dict[type[errors.DebuggerError], str] = {
    errors.DebuggerError: "troubleshooting#something-failed-unexpectedly",
    errors.InputError: "troubleshooting#an-input-is-malformed",
    errors.WorkflowError: "troubleshooting#a-workflow-breaks-a-rule",
    errors.ExpressionError: "guide#conditions",
    errors.NotFoundError: "troubleshooting#a-run-or-a-workflow-is-not-found",
    errors.RunEndedError: "troubleshooting#the-run-has-ended",
    errors.ConflictError: "troubleshooting#another-client-was-faster",
    errors.NotStartableError: "troubleshooting#a-workflow-breaks-a-rule",
    errors.RunError: "troubleshooting#a-run-fails",
    errors.ConditionError: "guide#conditions",
    errors.UnsupportedError: "troubleshooting#a-control-is-disabled",
    errors.StoreError: "troubleshooting#the-database-is-locked-or-cannot-be-opened",
    errors.TurnNotStoredError: "troubleshooting#a-turn-ran-and-was-not-stored",
    errors.SettingsError: "troubleshooting#a-setting-cannot-be-used",
    errors.ApiError: "troubleshooting#the-hosted-api-fails",
    errors.AuthenticationError: "troubleshooting#the-key-is-refused-401-or-403",
    errors.ForbiddenError: "troubleshooting#the-key-is-refused-401-or-403",
    errors.RateLimitError: "troubleshooting#too-many-requests-429",
    errors.ConnectionFailedError: "troubleshooting#nothing-answers",
    errors.RequestTimeoutError: "troubleshooting#an-answer-does-not-arrive",
    errors.NotExecutedError: "troubleshooting#an-answer-does-not-arrive",
    errors.OutcomeUnknownError: "troubleshooting#an-answer-does-not-arrive",
}
"""Places by the class of an error; a class that is not listed has the place of its base."""


def help_address(place: str) -> str:
    """Return the address of a place of the help, relative to any page."""
    return f"help?{urlencode(help_parameters(place))}"


def help_parameters(place: str) -> dict[str, str]:
    """Return the query parameters of the help that name a place."""
    topic, _, anchor = place.partition("#")
    return {"topic": topic, **({"at": anchor} if anchor else {})}


def error_place(error: errors.DebuggerError) -> str:
    """Return the place that explains an error."""
    return next(ERROR_PLACES[kind] for kind in type(error).__mro__ if kind in ERROR_PLACES)


def help_link(place: str) -> None:
    """Draw a link to a place of the help, labelled as what to do.

    Draws nothing where the navigation has no page Help.
    """
    page = state.record(PageLinks).by_name.get("help")
    if page is not None:
        st.page_link(
            page, label="Help: What to do", icon=":material/help:", query_params=help_parameters(place)
        )


def empty_state(text: str, place: str) -> None:
    """Draw why a part of the page is empty, with a help link.

    Args:
        text: What would be here and why it is not, as Markdown.
        place: The place of the help that explains it.
    """
    st.caption(f"{text} {help_mark(place)}")


def empty_page(text: str, place: str = "") -> DeltaGenerator:
    """Draw in the middle of a page why it is empty; return the box of the one button that goes on.

    Args:
        text: One sentence, as Markdown.
        place: The place of the help that explains it; without one there is no link.
    """
    box = st.container(horizontal_alignment="center", gap="small", key="empty_page")
    box.caption(f"{text} {help_mark(place)}" if place else text, width="content", text_alignment="center")
    return box


def help_mark(place: str) -> str:
    """Return a Markdown link that opens a place of the help in another tab."""
    return "[Help](" + help_address(place) + ")"
