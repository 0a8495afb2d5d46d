from __future__ import annotations

from types import SimpleNamespace

import pytest

from debugger.errors import InputError, NotFoundError
from debugger.protocol.workflow import WorkflowSummary
from debugger.views.backend_cache import BackendCache
from debugger.views.panels import workflow_picker
from debugger.views.panels.workflow_picker import OpenedWorkflows, found_by_name
from debugger.views.run_state import CurrentRun
from debugger.views.state import LastAction
from tests.support.factories import document, say, static
from tests.views.bars import control, keys, use

UNKNOWN = "665f0c2b9a3e4d5f6a7b8c90"


@pytest.fixture
def workflows(backend):
    """Three workflows, the newest last."""
    return [backend.create_workflow(document(say("chat"), name=name)) for name in ("Tea", "Coffee", "Cake")]


@pytest.fixture
def shown(record):
    """Gives the id of the workflow on view."""
    return lambda: record(CurrentRun).session.workflow_id


def listed(app):
    """The names in the list, in order."""
    return [option.partition(" · ")[0] for option in control(app, "workflow").options]


def paste(app, text):
    """Enter a text in the field beside the list."""
    use(app, "workflow_files", True)
    use(app, "open_workflow", text)
    assert not app.exception


def error(record):
    return str(record(LastAction).error)


def test_list_has_names_with_full_ids(app, workflows):
    app.run()

    assert f"Tea · {workflows[0].id}" in control(app, "workflow").options


def test_list_begins_with_last_used_by_run(app, workflows, press, record):
    app.run()
    assert listed(app) == ["Cake", "Coffee", "Tea"]
    use(app, "workflow", workflows[0].id)
    press("start")
    use(app, "setup")
    use(app, "workflow", workflows[1].id)
    record(OpenedWorkflows).ids.clear()  # as in another tab, later
    record(BackendCache).expire()

    app.run()

    assert listed(app) == ["Coffee", "Tea", "Cake"]


def test_list_begins_with_last_opened_in_tab(app, workflows):
    app.run()

    use(app, "workflow", workflows[1].id)
    use(app, "workflow", workflows[0].id)

    assert listed(app) == ["Tea", "Coffee", "Cake"]


def test_list_is_drawn_when_runs_cannot_be_read(app, backend, workflows, monkeypatch):
    def refuse(**_):
        raise NotFoundError("The runs are gone.")

    monkeypatch.setattr(backend, "runs", refuse)

    app.run()

    assert not app.exception
    assert listed(app) == ["Cake", "Coffee", "Tea"]


def test_id_outside_of_list_is_opened(app, backend, workflows, shown, monkeypatch):
    hidden = workflows[0]
    monkeypatch.setattr(backend, "workflows", lambda: workflows[1:])
    app.run()
    assert "Tea" not in listed(app)

    paste(app, f" {hidden.id} ")

    assert shown() == hidden.id
    assert listed(app)[0] == "Tea"


def test_id_of_no_workflow_is_an_error(app, workflows, shown, record):
    app.run()

    paste(app, UNKNOWN)

    assert f"There is no workflow '{UNKNOWN}'" in error(record)
    assert shown() == workflows[2].id
    assert control(app, "workflow").value == workflows[2].id


def test_typed_part_of_name_opens_only_match(app, workflows, shown):
    app.run()

    paste(app, "cof")

    assert shown() == workflows[1].id
    assert "open_workflow" not in keys(app)
    assert "cof" not in control(app, "workflow").options


def test_unknown_id_is_shown_at_its_field_alone(app, workflows, press):
    app.run()
    press("start")
    use(app, "setup")

    paste(app, UNKNOWN)

    assert [UNKNOWN in each.value for each in app.error] == [True]
    app.button("close_failure_at_open_workflow").click().run()
    assert not app.error


def summaries(*names):
    return [WorkflowSummary(id=f"{place:024x}", name=name) for place, name in enumerate(names, 1)]


def test_name_is_found_by_part_or_id():
    found = summaries("Tea shop", "Bakery")

    assert found_by_name("BAK", found) is found[1]
    assert found_by_name("00001", found) is found[0]


def test_text_that_finds_nothing_stays_to_be_corrected(app, workflows, record):
    app.run()

    paste(app, "Cofee")

    assert "No workflow has 'Cofee'" in error(record)
    assert control(app, "open_workflow").value == "Cofee"


def test_exact_name_comes_before_longer_ones():
    found = summaries("Tea shop", "Tea")

    assert found_by_name("tea", found) is found[1]


def test_several_matches_are_named():
    with pytest.raises(InputError, match=r"6 workflows have 'tea' in name or id: Tea 0, .*Tea 3 and 2 more"):
        found_by_name("tea", summaries(*(f"Tea {number}" for number in range(6))))


def test_text_without_match_is_refused():
    with pytest.raises(NotFoundError, match="No workflow has 'cocoa' in its name or id"):
        found_by_name("cocoa", summaries("Tea"))


def test_version_is_chosen_from_list(app, backend, record):
    workflow = backend.create_workflow(document(static("a", "Hi")))
    backend.create_version(workflow.id, mark_as_active=True)
    app.run()

    use(app, "version", "0")

    assert record(CurrentRun).session.version_number == 0


@pytest.mark.parametrize(("reported", "opened"), [("wf_a", []), ("wf_b", ["wf_b"]), ("", [])])
def test_workflow_on_view_is_not_opened_again(monkeypatch, reported, opened):
    """Streamlit reports a box that was taken off the page as changed; the run on view has to stay."""
    found = []
    monkeypatch.setattr(workflow_picker, "actions", SimpleNamespace(open_workflow=found.append))
    monkeypatch.setattr(workflow_picker.state, "widget", lambda key: reported)
    current = CurrentRun(session=SimpleNamespace(workflow_id="wf_a"))
    monkeypatch.setattr(workflow_picker.state, "record", lambda kind: current)

    workflow_picker._workflow_chosen()

    assert found == opened
