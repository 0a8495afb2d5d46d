from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from functools import partial
from pathlib import Path

import pytest

import debugger.views
from debugger.errors import ForbiddenError
from debugger.store import Role
from debugger.views import refresh
from debugger.views.auth import permissions
from debugger.views.auth.permissions import (
    User,
    check_role,
    explain_denial,
    may,
    needed_role,
    on_click,
    requires,
)

PREFIX = "debugger.views."
CALLBACKS = {"on_choose", "on_click", "on_change", "on_select", "on_dismiss", "on_submit"}
CONTROLS = {
    "Button",
    "Toggle",
    "Select",
    "SegmentedControl",
    "Scrubber",
    "DateInput",
    "TextInput",
    "ShowEarlier",
    "on_click",
    "on_change",
}
WRAPPERS = {"refreshing", "partial"}
VIEW_COMMANDS = {
    "actions": "check_now choose_backend follow join load_newer open_run open_workflow read_run reload_run "
    "select_event step_turn",
    "components.error_box": "_close",
    "components.tables": "_turn _turn_to_chosen",
    "confirmations": "_agree _decline "  # the command that is agreed to is checked
    "allow decline dismiss review take_back",  # for a local user, who is an administrator
    "edits": "_take_theirs go_on_editing keep_theirs replace_theirs",  # the role of the edit is checked again
    "navigation": "go_to",
    "pages.connection": "_chosen _connect _forget",
    "panels.compare.actions": "choose choose_change choose_element compare go_to ignore move read_runs "
    "reload show_differences swap",
    "panels.compare.events_tab": "_choose",
    "panels.conversation": "_show_whole",
    "panels.next_steps": "show_why",
    "panels.exports.dialog": "close_export_dialog open_export_of_run",
    "panels.exports.options": "_move _take_preset _take_shape",
    "panels.fork_actions": "close_fork close_tree leave_fork open_relative open_tree",
    "panels.forks": "_open",
    "panels.cursor": "move_to pause_play play_event step_event",
    "panels.demo": "_close _open",
    "panels.drawn_graph": "toggle_super_node",
    "panels.graph": "_choose",
    "panels.inspector": "_choose_run",
    "panels.picture": "_close open_picture_dialog",
    "panels.recordings": "leave_recording open_recording",
    "panels.replays.actions": "choose_element choose_group choose_replay close_acceptance open_run",
    "panels.replays.start": "close_start",
    "panels.review.actions": "begin_review choose_target filter_runs move_target refresh_queue reveal "
    "show_present_verdict show_run",
    "panels.review.decision": "_moving_on_changed",
    "panels.review.header": "_export",
    "panels.review.sheet_import": "_tick toggle_import",
    "panels.runs.actions": "_act_on _compare _open _untick open_export",
    "panels.runs.deletion": "_close _dismiss_undo _tick _tick_one show_deleted show_list",
    "panels.runs.erasure": "_close",
    "panels.runs.filters": "_clear_path clear",
    "panels.runs.flow_graph": "_choose list_runs_on",
    "panels.runs.picture": "_choose _choose_day",
    "panels.runs.rows": "_click",
    "panels.runs.saved": "use",
    "panels.runs.scope": "first_page",
    "panels.runs.statistics": "_clicked show_statistics",
    "panels.runs.statistics_tables": "_list_runs",
    "panels.scenarios.checks": "_choose",
    "panels.scenarios.open": "_read close_open show_failure show_open",
    "panels.scenarios.save": "_choose _edit _loosen _propose_again _use close_save open_save",
    "panels.scenarios.script": "_discard _edit _upload close_script show_script",
    "panels.setup": "close_setup open_setup",
    "panels.side_effects": "_choose",
    "panels.stepping": "step_received",
    "panels.suites.actions": "choose open_check",
    "panels.suites.dialogs": "_discard _edit _read close_dialog show_acceptance show_files show_text",
    "panels.timeline": "_choose",
    "pages.debug": "_fold _unfold",
    "pages.help": "follow",
    "pages.style": "_ignore _nothing",
    "shortcuts": "allow_plain_keys",
    "panels.top_nav": "change_view_mode open_help",
    "panels.tour": "take_tour",
    "panels.variables": "_choose _choose_change",
    "panels.watches": "_choose _go add_watch",
    "panels.why": "_choose leave_edge step_decision",
    "panels.workflow_files": "cancel_copy",
    "panels.workflow_picker": "_text_entered _version_chosen _workflow_chosen open_found",
}
"""Navigation, selection, filters and what a user enters for an own tab: they need the role read."""


@pytest.fixture
def user(monkeypatch):
    """Signs a user in."""

    def sign_in(role, name="Ada"):
        monkeypatch.setattr(permissions, "current_user", lambda: User(name, role, is_local=False))

    return sign_in


def modules():
    """The modules of the page by their names, but for the script, which draws when it is imported."""
    found = [each.name for each in pkgutil.walk_packages(debugger.views.__path__, PREFIX)]
    return {
        name.removeprefix(PREFIX): importlib.import_module(name)
        for name in found
        if name != f"{PREFIX}pages.script"
    }


def names(table):
    there = modules()
    assert set(table) <= set(there)
    return {f"{module}.{name}" for module, text in table.items() for name in text.split()}


def place(do):
    return f"{do.__module__.removeprefix(PREFIX)}.{do.__name__}"


def actions():
    """The functions of the page that end their errors in its state."""
    for module in modules().values():
        for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
            made_by = node.decorator_list if isinstance(node, ast.FunctionDef) else []
            if any(isinstance(each, ast.Call) and called(each) == "action" for each in made_by):
                yield getattr(module, node.name)


def calls():
    """Every call in the source of the page, with its module."""
    for module in modules().values():
        for call in ast.walk(ast.parse(Path(module.__file__).read_text())):
            if isinstance(call, ast.Call):
                yield call, module


def callbacks_of_controls():
    """The functions that the source passes to controls as callbacks."""
    for call, module in calls():
        passed = [word.value for word in call.keywords if word.arg in CALLBACKS]
        if called(call) in CONTROLS:
            passed += call.args
        for value in passed:
            yield from functions(value, module)


def functions(value, module):
    """The functions of the app that an expression names."""
    if isinstance(value, ast.IfExp):
        yield from functions(value.body, module)
        yield from functions(value.orelse, module)
    elif isinstance(value, ast.Call) and called(value) in WRAPPERS:
        for argument in value.args:
            yield from functions(argument, module)
    elif isinstance(value, ast.Lambda):
        yield from (
            do
            for call in ast.walk(value.body)
            if isinstance(call, ast.Call)
            for do in functions(call.func, module)
        )
    elif isinstance(value, ast.Name | ast.Attribute):
        is_own = isinstance(value, ast.Name)
        owner = module if is_own else vars(module).get(getattr(value.value, "id", ""))
        do = getattr(owner, value.id if is_own else value.attr, None)
        if inspect.isfunction(do) and do.__module__.startswith(PREFIX):
            yield do


def called(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_every_command_needs_role_or_is_listed():
    commands = {place(do): needed_role(do) for do in (*actions(), *callbacks_of_controls())}

    listed = names(VIEW_COMMANDS)
    assert {name for name, role in commands.items() if role is None} - listed == set()
    assert {name for name, role in commands.items() if role is not None} & listed == set()


def test_controls_that_need_role_are_drawn_by_it():
    unguarded = []
    for call, module in calls():
        if called(call) in ("Button", "Toggle"):  # draw themselves disabled
            continue
        passed = [word.value for word in call.keywords if word.arg in CALLBACKS]
        if called(call) in CONTROLS - {"on_click", "on_change"}:
            passed += call.args
        is_guarded = any(
            word.arg == "disabled" and "explain_denial" in ast.dump(word.value) for word in call.keywords
        )
        for do in (do for value in passed for do in functions(value, module)):
            if needed_role(do) is not None and not is_guarded:
                unguarded.append((place(do), call.lineno))

    assert unguarded == []


def test_list_of_view_commands_names_what_exists():
    commands = {place(do) for do in (*actions(), *callbacks_of_controls())}

    assert names(VIEW_COMMANDS) - commands == set()


@pytest.mark.parametrize("role", [None, *Role])
def test_user_may_do_what_role_covers(user, role):
    user(role)

    assert [needed for needed in Role if may(needed)] == [
        needed for needed in Role if role is not None and role.covers(needed)
    ]


def test_requires_refuses_before_command_runs(user):
    user(Role.REVIEW)
    done = []
    run = requires(Role.RUN)(done.append)

    with pytest.raises(ForbiddenError, match=r"Needs the role run; you have review\."):
        run("it")
    user(Role.RUN)
    run("this")

    assert done == ["this"]


def test_needed_role_survives_wrappers():
    @requires(Role.RUN)
    def run() -> None: ...

    assert needed_role(partial(refresh.refreshing("bar", run), 1)) is Role.RUN
    assert needed_role(print) is None


def test_control_says_which_role_is_missing(user):
    @requires(Role.ADMIN)
    def delete() -> None: ...

    user(Role.READ)
    refused = on_click(delete, help="Delete it")
    user(Role.ADMIN)
    allowed = on_click(delete, help="Delete it")

    assert refused == {
        "on_click": delete,
        "disabled": True,
        "help": "Needs the role admin; you have read.",
    }
    assert allowed == {"on_click": delete, "disabled": False, "help": "Delete it"}
    assert explain_denial(delete) == ""


def test_user_without_role_is_refused_reading(user):
    user(None)

    with pytest.raises(ForbiddenError, match=r"Needs the role read; you have none\."):
        check_role(Role.READ)
