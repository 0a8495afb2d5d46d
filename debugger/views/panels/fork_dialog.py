"""Dialog that prepares a fork."""

from __future__ import annotations

import streamlit as st

from debugger.errors import DebuggerError
from debugger.protocol.runs import ForkMode
from debugger.session.fork_draft import DYNAMIC, RUNTIME, WORKFLOW, ForkDraft
from debugger.session.forks import fork_modes
from debugger.session.variable_rows import VariableScope
from debugger.session.verification import UNCHECKED
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import action
from debugger.views.auth import permissions
from debugger.views.auth.permissions import on_change, on_click
from debugger.views.backend_cache import BackendCache
from debugger.views.components.error_box import show_failures, show_unexpected_errors
from debugger.views.components.markdown import count, plain
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.status_badges import fidelity_badge
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels import fork_actions
from debugger.views.panels.fork_actions import ForkState
from debugger.views.panels.variable_edits import pending_differences, pending_table, tier_word
from debugger.views.run_view import RunView
from debugger.views.state import Editors

_WAYS: dict[ForkMode, str] = {
    "exact": "From its checkpoint",
    "rebuilt": "Rebuilt from the record",
    "replayed": "Turns 1 to n run again",
}
_WAY_HELP: dict[ForkMode, str] = {
    "exact": "The fork has the whole state of the run.",
    "rebuilt": "A new run starts at the node where the turn started, with the variables as run input. "
    "It does not have the earlier messages.",
    "replayed": "A new run executes all earlier inputs first; it may take another path before this turn.",
}
_TIERS = {tier_word(tier): tier for tier in (RUNTIME, WORKFLOW, DYNAMIC)}
_POLL_SECONDS = 0.4
_MOST_DIFFERENCES = 8


def fork_dialog(view: RunView) -> None:
    """Draw the fork dialog while a fork of the run on view is being prepared and no question is open.

    A draft of another run is left, see `leave_fork`.
    """
    draft = state.record(ForkState).draft
    if draft is None:
        return
    if draft.point.run_id != view.session.run_id:
        fork_actions.leave_fork()  # another run came on view
        return
    if state.record(OpenQuestions).is_open:
        return  # a page shows one dialog at a time
    title = f"Fork from turn {draft.point.number}"
    shown = side_dialog(title, icon=":material/fork_right:", on_dismiss=fork_actions.leave_fork)
    shown(_body)(view)


@show_unexpected_errors("The fork dialog")
def _body(view: RunView) -> None:
    """Draw the fields of the fork, its changes, its control run, its problems, and the buttons.

    Where the dialog was closed meanwhile, the page is rerun.
    """
    draft = state.record(ForkState).draft
    if draft is None:
        st.rerun()  # only that closes a dialog
    lead = f"fork_{state.record(Editors).generation}"
    with st.container(key="fork_dialog", gap="small"):
        st.caption(f"Run {plain(draft.point.run_id)} is not changed. {plain(_WAY_HELP[draft.way])}")
        _way(draft, view, lead)
        _message(draft, lead)
        _variables(draft, lead)
        left, right = st.columns(2, gap="small")
        with left:
            _version(draft, view, lead)
        with right:
            _start_node(draft, view, lead)
        _note_fields(draft, lead)
        with st.container(border=True, height=104, key="fork_changes", gap="xxsmall"):
            pending_differences(draft.differences)
        st.fragment(_check, run_every=_POLL_SECONDS if _is_checking() else None)(_is_checking())
        for problem in draft.problems:
            st.error(plain(problem), icon=":material/error:")
        show_failures("fork")
    with dialog_footer():
        _buttons(draft)


def _way(draft: ForkDraft, view: RunView, lead: str) -> None:
    """Draw the choice of how the fork is made; nothing where the backend has one way only.

    A change writes the draft and drops the result of the control run.
    """
    found = fork_modes(view.session.backend)
    if len(found) == 1:
        return
    reason = view.session.backend.capabilities.reason_against("exact_fork") or ""
    key = f"{lead}_way"
    st.segmented_control(
        "How the fork is made",
        found,
        default=draft.way,
        key=key,
        required=True,
        format_func=_WAYS.__getitem__,
        args=(draft, key),
        **on_change(_take_way, help=plain(reason)),
    )


@action(role=Role.RUN)
def _take_way(draft: ForkDraft, key: str) -> None:
    draft.way = state.widget(key)
    state.record(ForkState).check = None


def _message(draft: ForkDraft, lead: str) -> None:
    """Draw the box with the user message of the turn; an edit writes the draft."""
    key = f"{lead}_message"
    st.text_area(
        "User message",
        draft.message,
        key=key,
        height=68,
        placeholder="The turn had no message",
        args=(draft, "message", key),
        **on_change(_take),
    )


def _version(draft: ForkDraft, view: RunView, lead: str) -> None:
    """Draw the choice of the workflow version, that of the run first and then the newest first.

    Where the versions cannot be listed, a caption says why.
    """
    backend, workflow_id = view.session.backend, draft.point.workflow_id
    key = f"{lead}_version"
    try:
        known = state.record(BackendCache).ask(
            ("versions", workflow_id), lambda: backend.versions(workflow_id)
        )
    except DebuggerError as error:
        st.caption(plain(f"The versions cannot be listed: {error.message}"))
        return
    same = draft.point.version_number
    marks = {one.version_number: " · active" if one.is_active else "" for one in known}
    numbers = [same, *(number for number in sorted(marks, reverse=True) if number != same)]
    st.selectbox(
        "Version",
        numbers,
        index=numbers.index(same if draft.version_number is None else draft.version_number),
        key=key,
        format_func=lambda number: (
            f"v{number}{' · as the run' if number == same else ''}{marks.get(number, '')}"
        ),
        args=(draft, key),
        **on_change(
            _take_version,
            help="If a version does not have the run's current node, choose a start node",
        ),
    )


@action(role=Role.RUN)
def _take_version(draft: ForkDraft, key: str) -> None:
    wanted = state.widget(key)
    draft.version_number = None if wanted == draft.point.version_number else wanted
    draft.start_node = ""


def _start_node(draft: ForkDraft, view: RunView, lead: str) -> None:
    """Draw the choice of the node at which the turn starts; disabled where all turns run again.

    The first option is the run's own node, also where the draft's node is not in the version. A choice writes
    the draft. Without a readable version it is the only option.
    """
    names = _node_names(draft, view)
    here = draft.point.main_node
    options = ["", *(node for node in names if node != here)]
    key = f"{lead}_start_{draft.version_number}"
    st.selectbox(
        "Start at",
        options,
        index=options.index(draft.start_node) if draft.start_node in options else 0,
        key=key,
        format_func=lambda node: (
            names.get(node, node) if node else f"{names.get(here, here) or 'the start'} · as the run"
        ),
        args=(draft, "start_node", key),
        **on_change(
            _take,
            disabled=draft.way == "replayed",
            help="The node at which the main thread takes the turn",
        ),
    )


def _node_names(draft: ForkDraft, view: RunView) -> dict[str, str]:
    """Return the labels of the nodes of the fork's version by id; empty where that version cannot be read."""
    number, workflow_id, workflow = draft.version_number, draft.point.workflow_id, draft.point.workflow
    backend = view.session.backend
    if number is not None:
        try:
            workflow = state.record(BackendCache).ask(
                ("workflow", workflow_id, number), lambda: backend.workflow(workflow_id, number)
            )
        except DebuggerError:
            return {}  # the code that runs the fork reports what is wrong with the version
    return {node.logical_id: node.label for node in workflow.node_configs}


def _variables(draft: ForkDraft, lead: str) -> None:
    """Draw the choice of a tier of variables, and its values as a table or as JSON, for editing.

    An edit writes the draft.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="fork_tiers"):
        word = st.segmented_control(
            "Variables",
            list(_TIERS),
            default=_first_tier(draft),
            key=f"{lead}_tier",
            required=True,
            format_func=lambda word: f"{word} ({len(draft.variables.rows(_TIERS[word]))})",
            label_visibility="collapsed",
        )
        st.caption("as they were before the turn", width="content")
        st.space("stretch")
        as_json = st.toggle("As JSON", key=f"{lead}_json")
    chosen = _TIERS[word or _first_tier(draft)]
    if as_json:
        key = f"{lead}_json_{chosen.scope}"
        st.text_area(
            f"{tier_word(chosen)} variables as JSON",
            draft.text(chosen),
            key=key,
            height=192,
            label_visibility="collapsed",
            args=(draft, chosen, key),
            **on_change(_take_text),
        )
    else:
        pending_table(draft.variables, chosen, "fork")


def _first_tier(draft: ForkDraft) -> str:
    wanted = state.record(ForkState).first_tier
    if wanted is not None:
        return tier_word(wanted)
    return next((word for word, tier in _TIERS.items() if draft.variables.shown[tier]), tier_word(RUNTIME))


@action(role=Role.RUN)
def _take_text(draft: ForkDraft, tier: VariableScope, key: str) -> None:
    draft.set_text(tier, state.widget(key))


def _note_fields(draft: ForkDraft, lead: str) -> None:
    """Draw the boxes of the note and of its author; a signed-in user cannot change the author.

    An edit writes the draft.
    """
    left, right = st.columns([3, 1], gap="small")
    with left:
        key = f"{lead}_note"
        st.text_input(
            "Note",
            draft.note,
            key=key,
            placeholder="Why this fork",
            max_chars=500,
            args=(draft, "note", key),
            **on_change(_take),
        )
    with right:
        key = f"{lead}_by"
        st.text_input(
            "By",
            draft.by,
            key=key,
            placeholder="Your name",
            max_chars=80,
            args=(draft, "by", key),
            **on_change(_take, disabled=not permissions.current_user().is_local),
        )


@action(role=Role.RUN)
def _take(draft: ForkDraft, name: str, key: str) -> None:
    setattr(draft, name, state.widget(key))


def _is_checking() -> bool:
    check = state.record(ForkState).check
    return check is not None and check.is_running


def _check(drawn: bool) -> None:
    """Draw the result of the control run, its cost, and the button that starts it; a fragment, polled alone.

    Of the differences at most `_MOST_DIFFERENCES` are listed. When a control run has ended since the dialog
    was drawn, the page is rerun; without a draft nothing is drawn.

    Args:
        drawn: Whether it was under way when the dialog was drawn.
    """
    forking = state.record(ForkState)
    draft, check = forking.draft, forking.check
    if draft is None:
        return
    price = fork_actions.price(draft)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="fork_check"):
        st.caption("Control run", width="content")
        if _is_checking():
            st.caption(":material/progress_activity: The turn is run again unedited …", width="content")
        else:
            found = check.fidelity if check else UNCHECKED
            fidelity_badge(found)
            st.caption(plain(found.sentence), width="stretch")
            st.button(
                "Check" if check is None else "Check again",
                key="check_fork",
                icon=":material/fact_check:",
                type="tertiary",
                **on_click(
                    fork_actions.check_fork,
                    help=plain(f"Run the turn again unedited, and compare. {price}".strip()),
                ),
            )
    if check is not None and not check.is_running and check.fidelity.differences:
        differences = check.fidelity.differences
        with st.expander(
            f"{count(len(differences), 'difference')}", type="compact", key="fork_check_differences"
        ):
            for line in differences[:_MOST_DIFFERENCES]:
                st.text(line)
            if len(differences) > _MOST_DIFFERENCES:
                st.caption(f"and {len(differences) - _MOST_DIFFERENCES} more")
    if price:
        st.caption(plain(price))
    if drawn and not _is_checking():
        st.rerun()  # ends the polling


def _buttons(draft: ForkDraft) -> None:
    """Draw the buttons that run the fork, run the turn unedited, and cancel; a problem disables the first.

    The first two make a new run and show it, the last drops the draft.
    """
    st.button(
        f"Fork at turn {draft.point.number}",
        key="run_fork",
        type="primary",
        icon=":material/fork_right:",
        **on_click(
            fork_actions.run_fork,
            disabled=bool(draft.problems),
            help="A new run; the original is kept",
        ),
    )
    st.button(
        "Re-run unedited",
        key="run_unedited",
        icon=":material/replay:",
        **on_click(fork_actions.run_unedited, help="A new run of the same turn with nothing changed"),
    )
    st.space("stretch")
    st.button("Cancel", key="cancel_fork", type="tertiary", on_click=fork_actions.close_fork)
