from __future__ import annotations

import pytest

from debugger.backends.base import Capabilities
from debugger.errors import UnsupportedError
from debugger.views.panels.fork_actions import ForkState
from debugger.views.run_state import CurrentRun
from debugger.views.state import Editors
from tests.support.factories import document, say
from tests.views.bars import captions, control, use
from tests.views.message import send

NO_CHECKPOINTS = Capabilities({"exact_fork": "No checkpoint.", "initial_state": "No state."})


@pytest.fixture
def run(app, backend, record, press, settle):
    """A run of two turns on view; gives its id."""
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    send(app, "hello")
    settle()
    return record(CurrentRun).session.run_id


@pytest.fixture
def hosted(backend, monkeypatch):
    """The backend as one that has no checkpoints."""

    def refuse(*_args, **_wanted):
        raise UnsupportedError("No checkpoint.")

    monkeypatch.setattr(backend, "capabilities", NO_CHECKPOINTS)
    monkeypatch.setattr(backend, "fork", refuse)
    monkeypatch.setattr(backend, "replay", refuse)
    return backend


def words(app):
    found = [*app.text, *app.markdown, *app.error]
    return " ".join([captions(app), *(element.value.replace("\\", "") for element in found)])


def test_what_nothing_can_be_run_in_greys_buttons_with_its_reason(app, backend, record, run, monkeypatch):
    monkeypatch.setattr(backend, "capabilities", Capabilities({"run_turns": "This is a recording."}))

    app.run()

    for key in ("fork_turn", "send_again"):
        assert control(app, key).disabled
        assert "recording" in control(app, key).help


def test_without_checkpoints_two_ways_are_offered_and_nothing_is_run_unasked(app, hosted, record, run):
    use(app, "fork_turn")

    lead = f"fork_{record(Editors).generation}"
    assert control(app, f"{lead}_way").options == [
        "Rebuilt from the record",
        "Turns 1 to n run again",
    ]
    assert record(ForkState).check is None
    assert hosted.runs().total == 1
    assert "real run" in words(app)


def test_without_checkpoints_control_run_is_made_when_it_is_asked_for(app, hosted, record, run):
    use(app, "fork_turn")

    use(app, "check_fork")
    assert record(ForkState).check.wait(10)
    app.run()

    assert "Verified" in words(app)
    assert hosted.runs().total == 2


def test_another_way_forgets_what_was_checked_in_first(app, hosted, record, run):
    use(app, "fork_turn")
    use(app, "check_fork")
    assert record(ForkState).check.wait(10)

    use(app, f"fork_{record(Editors).generation}_way", "replayed")

    assert "Not checked" in words(app)
    assert app.selectbox(f"fork_{record(Editors).generation}_start_None").disabled


def test_fork_that_is_prepared_belongs_to_its_run(app, backend, record, run):
    other = backend.fork(run, 2)
    use(app, "fork_turn")

    app.query_params["run"] = other
    app.run()

    assert record(CurrentRun).session.run_id == other
    assert "User message" not in [area.label for area in app.text_area]


def test_input_of_turn_has_button_too(app, record, run):
    use(app, "inspector_tab", "Input")

    use(app, "fork_here")

    assert record(ForkState).draft.point.number == 2


def test_fork_dialog_ends_with_its_run(app, backend, record, run):
    other = backend.create_workflow(document(say("chat"))).id
    use(app, "fork_turn")
    is_open = any(button.key == "run_fork" for button in app.button)
    app.query_params.clear()
    app.query_params["workflow"] = other
    app.run()

    app.query_params.clear()
    app.query_params["run"] = run
    app.run()

    assert is_open
    assert record(CurrentRun).session.run_id == run
    assert not any(button.key == "run_fork" for button in app.button)
