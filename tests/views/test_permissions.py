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
from debugger.views import identity, panes
from debugger.views.identity import User
from debugger.views.permissions import check_role, denied, may, needed_role, on_click, requires

PREFIX = "debugger.views."
CALLBACKS = {"on_click", "on_change", "on_select", "on_dismiss", "on_submit"}
CONTROLS = {"Button", "Toggle", "Choice", "Switch", "Field", "Start", "Earlier", "on_click", "on_change"}
WRAPPERS = {"redrawing", "partial", "command"}
VIEW_COMMANDS = {
    "commands": "check_now choose_backend follow join load_newer open_run open_workflow read_run reload_run "
    "select_event select_node select_turn step_event step_turn",
    "compare_commands": "choose choose_element compare go_to go_to_first ignore move reload scroll "
    "show_differences swap",
    "connection": "_chosen _connect _forget",
    "export_commands": "close_exports open_exports",
    "fork_commands": "close_fork close_tree open_tree",
    "graph_commands": "choose",
    "linking": "go_to",
    "production": "_agree _decline",  # the command that is agreed to is checked
    "python_consent": "allow decline dismiss review take_back",  # for a local user, who is an administrator
    "recording_commands": "leave_recording open_recording",
    "skin_commands": "allow_plain_keys change_skin go_to_turn open_help play_or_pause set_speed step_by "
    "turn_by",
    "why_commands": "add_watch leave_edge remove_watch show_decision",
    "parts.compare.events_tab": "_choose",
    "parts.conversation": "_show_whole",
    "parts.decision_list": "_choose",
    "parts.gantt": "_choose",
    "parts.pager": "_turn _turn_to_written",
    "parts.run_filters": "_clear",
    "parts.run_tree": "_open",
    "parts.side_effects": "_choose",
    "parts.stepping": "_show",
    "parts.watch_view": "_add_once _go",
    "parts.workflow_picker": "_version_chosen _workflow_chosen",
}
"""Navigation, selection, filters and what a user enters for an own tab: they need the role read."""
QUERIES = {
    "commands": "command first_input keep_kit show signed start_input take_in_turn",
    "compare_commands": "current_address follow_address picker_key stamp",
    "fork_commands": "price",
    "note_commands": "author may_delete",
    "preset_commands": "recall_of",
    "skin_commands": "player_of",
}
"""Functions of command modules that no control calls."""


@pytest.fixture
def user(monkeypatch):
    """Signs a user in."""

    def sign_in(role, name="Ada"):
        monkeypatch.setattr(identity, "current_user", lambda: User(name, role, is_local=False))

    return sign_in


def modules():
    """The modules of the page by their names, but for the script, which draws when it is imported."""
    found = [each.name for each in pkgutil.walk_packages(debugger.views.__path__, PREFIX)]
    return {
        name.removeprefix(PREFIX): importlib.import_module(name)
        for name in found
        if name != f"{PREFIX}script"
    }


def names(table):
    there = modules()
    return {f"{module}.{name}" for module, text in table.items() if module in there for name in text.split()}


def place(do):
    return f"{do.__module__.removeprefix(PREFIX)}.{do.__name__}"


def commands_of_modules():
    """The public functions of the modules of commands."""
    for name, module in modules().items():
        if name.endswith("commands"):
            for do in vars(module).values():
                if inspect.isfunction(do) and do.__module__ == module.__name__ and do.__name__[0] != "_":
                    yield do


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
    elif isinstance(value, ast.Name | ast.Attribute):
        is_own = isinstance(value, ast.Name)
        owner = module if is_own else vars(module).get(getattr(value.value, "id", ""))
        do = getattr(owner, value.id if is_own else value.attr, None)
        if inspect.isfunction(do) and do.__module__.startswith(PREFIX):
            yield do


def called(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_every_command_needs_a_role_or_is_listed():
    commands = {place(do): needed_role(do) for do in (*commands_of_modules(), *callbacks_of_controls())}

    listed = names(VIEW_COMMANDS) | names(QUERIES)
    assert {name for name, role in commands.items() if role is None} - listed == set()
    assert {name for name, role in commands.items() if role is not None} & listed == set()


def test_controls_that_need_role_are_drawn_by_it():
    unguarded = []
    for call, module in calls():
        if called(call) in ("Button", "Toggle", "Start"):  # draw themselves disabled
            continue
        passed = [word.value for word in call.keywords if word.arg in CALLBACKS]
        if called(call) in CONTROLS - {"on_click", "on_change"}:
            passed += call.args
        is_guarded = any(
            word.arg == "disabled" and "denied" in ast.dump(word.value) for word in call.keywords
        )
        for do in (do for value in passed for do in functions(value, module)):
            if needed_role(do) is not None and not is_guarded:
                unguarded.append((place(do), call.lineno))

    assert unguarded == []


def test_list_of_view_commands_names_what_exists():
    commands = {place(do) for do in (*commands_of_modules(), *callbacks_of_controls())}

    assert (names(VIEW_COMMANDS) | names(QUERIES)) - commands == set()


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

    assert needed_role(partial(panes.redrawing("bar", run), 1)) is Role.RUN
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
    assert denied(delete) == ""


def test_user_without_role_is_refused_reading(user):
    user(None)

    with pytest.raises(ForbiddenError, match=r"Needs the role read; you have none\."):
        check_role(Role.READ)
