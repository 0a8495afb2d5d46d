from __future__ import annotations

import json

import pytest

from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.views.panels.run_input import INPUTS_KEY
from debugger.views.run_state import CurrentRun, RunInputs
from debugger.views.state import Editors
from tests.support.factories import direct, document, node, say, static
from tests.support.http_server import HttpServer
from tests.views.bars import keys, use
from tests.views.message import send
from tests.views.row_lists import rows
from tests.views.row_lists import use as use_in_row
from tests.views.talk import words


@pytest.fixture
def app(app):
    """The page Debug with the run input open before the start, and its variables listed."""
    app.session_state[INPUTS_KEY] = True
    for tier in ("dynamic_variables", "runtime_variables"):
        app.session_state[f"edit_start_{tier}"] = False
    return app


def editor(app, name):
    """The key of a table under edit; ``None`` while its box is closed."""
    return next((element.key for element in app.data_editor if name in (element.key or "")), None)


def is_open(app, name):
    return editor(app, name) is not None


def table(app, name):
    """A table under edit, as rows; it is opened first."""
    if editor(app, name) is None:
        use(app, f"edit_start_{name}", True)
    return app.data_editor(editor(app, name)).value.to_dict("records")


def sources(app, label):
    """The values and sources of listed variables, by name."""
    return {row["name"]: (row["value"], row["source"]) for row in rows(app, label)}


def text_area(app, part):
    return next(area for area in app.text_area if part in area.key)


def model(record):
    return next(iter(record(RunInputs).start.values()))


def test_tables_begin_with_what_workflow_names(app, backend):
    backend.create_workflow(
        document(static("a", "Hello {{customer.name}}, {{now}}"), defaults={"shop": "Leaf", "open": True})
    )

    app.run()

    assert table(app, "dynamic_variables") == [
        {"name": "customer", "type": "JSON", "value": '{"name": ""}'},
        {"name": "shop", "type": "text", "value": "Leaf"},
        {"name": "open", "type": "boolean", "value": "true"},
    ]
    assert not is_open(app, "runtime_variables")


def test_unset_global_variable_is_warned_of(app, backend, record):
    backend.create_workflow(document(static("a", "Hello {{name}}, this is {{global.shop}}")))

    app.run()

    assert model(record).value["dynamic_variables"] == {"name": ""}
    assert "stay unchanged: \\{\\{global\\.shop\\}\\}" in app.warning[0].value


def test_each_variable_has_its_source_and_is_reverted(app, backend, record):
    backend.create_workflow(document(static("a", "Hello"), defaults={"shop": "Leaf", "n": "42", "old": 1}))
    app.run()
    listed = sources(app, "Dynamic variables")
    use(app, "input_mode", "JSON")
    text_area(app, "json").set_value('{"dynamic_variables": {"shop": "Leaf", "n": 42, "new": 1}}').run()
    use(app, "input_mode", "Form")
    edited = sources(app, "Dynamic variables")
    types = {row["name"]: row["type"] for row in rows(app, "Dynamic variables")}

    use_in_row(app, "n", "revert", label="Dynamic variables")
    one = model(record).value["dynamic_variables"]
    use(app, "revert_start_dynamic_variables")

    assert listed == {"shop": ("Leaf", "default"), "n": ("42", "default"), "old": ("1", "default")}
    assert edited == {
        "shop": ("Leaf", "default"),
        "n": ("42", "~ edited"),
        "new": ("1", "+ added"),
        "old": ("", "− removed"),
    }
    assert types["n"] == "number"
    assert one == {"shop": "Leaf", "n": "42", "new": 1}
    assert model(record).value["dynamic_variables"] == {"shop": "Leaf", "n": "42", "old": 1}
    assert "revert_start_dynamic_variables" not in keys(app)


def test_reverted_grid_shows_first_values(app, backend, record):
    backend.create_workflow(document(static("a", "Hello"), defaults={"shop": "Leaf"}))
    app.run()
    use(app, "edit_start_dynamic_variables", True)
    grid = app.data_editor(editor(app, "dynamic"))
    model(record).set_rows("dynamic_variables", [])
    app.run()

    use(app, "revert_start_dynamic_variables")

    assert table(app, "dynamic_variables") == [{"name": "shop", "type": "text", "value": "Leaf"}]
    assert editor(app, "dynamic") != grid.key


def test_box_without_variables_is_closed_and_opens_to_empty_table(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    closed = [is_open(app, "dynamic_variables"), is_open(app, "runtime_variables")]

    use(app, f"box_start_dynamic_variables_{record(Editors).generation}", True)

    assert closed == [False, False]
    assert table(app, "dynamic_variables") == []


def test_json_and_tables_are_two_views_of_one_input(app, backend, record):
    backend.create_workflow(document(static("a", "Hello"), defaults={"shop": "Leaf"}))
    app.run()

    use(app, "input_mode", "JSON")
    before = json.loads(text_area(app, "json").value)
    text_area(app, "json").set_value('{"dynamic_variables": {"n": 42}, "welcome_message": "Hi"}').run()
    use(app, "input_mode", "Form")

    assert before == {"dynamic_variables": {"shop": "Leaf"}, "runtime_variables": {}}
    assert table(app, "dynamic_variables") == [{"name": "n", "type": "number", "value": "42"}]
    assert model(record).value["welcome_message"] == "Hi"


def test_json_that_does_not_parse_says_where_and_keeps_what_was_typed(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    use(app, "input_mode", "JSON")

    text_area(app, "json").set_value('{\n "run_by": ,\n}').run()
    use(app, "input_mode", "Form")
    use(app, "input_mode", "JSON")

    assert "line 2, column 12" in app.error[0].value
    assert text_area(app, "json").value == '{\n "run_by": ,\n}'


def test_run_does_not_start_on_input_that_cannot_be_used(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    use(app, "input_mode", "JSON")
    text_area(app, "json").set_value("{").run()

    use(app, "start")

    assert not app.exception
    assert record(CurrentRun).session.status == "not_started"
    assert any("discard the change" in error.value for error in app.error)


def test_change_that_cannot_be_used_can_be_discarded(app, backend, record):
    backend.create_workflow(document(static("a", "Hello"), defaults={"shop": "Leaf"}))
    app.run()
    use(app, "input_mode", "JSON")
    text_area(app, "json").set_value("{").run()

    use(app, "discard_input")

    assert not app.error
    assert json.loads(text_area(app, "json").value)["dynamic_variables"] == {"shop": "Leaf"}


def test_what_input_holds_reaches_run(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello {{name}}")))
    app.run()
    use(app, "input_mode", "JSON")
    text_area(app, "json").set_value('{"dynamic_variables": {"name": "Ada"}, "run_by": "qa"}').run()

    press("start")

    record = backend.run(record(CurrentRun).session.run_id)
    assert record.run_by == "qa"
    assert words(app) == ["Hello Ada"]


def test_placeholders_without_value_are_listed_before_run(app, backend):
    backend.create_workflow(document(static("a", "Hello {{name}} of {{city}}")))
    app.run()
    use(app, "input_mode", "JSON")

    text_area(app, "json").set_value('{"dynamic_variables": {"name": ""}}').run()

    assert "city" in app.warning[0].value
    assert "name" not in app.warning[0].value
    assert any("Empty: name" in caption.value for caption in app.caption)


def test_another_start_node_can_be_chosen(app, backend, record, press):
    backend.create_workflow(document(static("a", "Hello"), static("b", "Bye")))
    app.run()

    next(box for box in app.selectbox if box.key.startswith("start_node")).set_value("b").run()
    press("start")

    assert words(app) == ["Bye"]


def test_start_node_that_version_does_not_have_is_kept_and_shown(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    use(app, "input_mode", "JSON")
    text_area(app, "json").set_value('{"start_node_logical_id": "gone"}').run()

    use(app, "input_mode", "Form")

    assert not app.exception
    assert next(box for box in app.selectbox if box.key.startswith("start_node")).value == "gone"


def test_state_after_turn_can_be_copied_as_initial_state(app, backend, record, press):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    use(app, "setup")
    use(app, "input_for", "Restart")

    use(app, "copy_state")

    assert model(record).value["initial_state"]["threads"]["0"]["node_logical_id"] == "chat"
    assert '"node_logical_id": "chat"' in text_area(app, "state_json").value


def test_state_of_another_run_can_be_copied_before_this_one_has_begun(app, backend, record):
    workflow = backend.create_workflow(document(say("chat")))
    first = backend.execute(
        workflow.id, TurnInput.with_message("one", dynamic_variables={"tea": "Assam"})
    ).finish()
    backend.execute(workflow.id, TurnInput.with_message("two"), run_id=first.run_id).finish()
    app.run()

    next(box for box in app.selectbox if box.key.startswith("copy_turn")).set_value(1).run()
    use(app, "copy_state")

    copied = model(record).value["initial_state"]
    assert copied["threads"]["0"]["chat_history"][0]["content"] == "one"
    assert "two" not in str(copied)
    assert copied["dynamic_variables"] == {"tea": "Assam"}


def test_initial_state_that_is_not_json_says_where(app, backend):
    backend.create_workflow(document(say("chat")))
    app.run()

    text_area(app, "state_json").set_value('{"threads": }').run()

    assert "line 1, column 13" in app.error[0].value
    assert text_area(app, "state_json").value == '{"threads": }'


def test_next_turn_is_given_more_than_message_once_and_only_once(app, backend, record, press, settle):
    backend.create_workflow(document(say("chat")))
    app.run()
    press("start")
    use(app, "setup")
    use(app, "input_mode", "JSON")
    text_area(app, "next_json").set_value('{"dynamic_variables": {"tone": "kind"}}').run()

    send(app, "hello")
    settle()
    send(app, "again")
    settle()

    given = [turn.run_input.dynamic_variables for turn in record(CurrentRun).session.turns]
    assert given[1] == {"tone": "kind"}
    assert given[2] == {}
    assert text_area(app, "next_json").value == "{}"


def test_next_message_for_another_node_is_warned_of(app, backend, press, settle):
    backend.create_workflow(document(say("ask"), say("order"), direct("ask", "order")))
    app.run()
    press("start")
    settle()
    use(app, "setup")
    use(app, "input_mode", "JSON")
    message = {"node_logical_id": "order", "messages": [{"type": "human", "content": "tea"}]}

    text_area(app, "next_json").set_value(
        json.dumps({"thread_to_node_inputs": {"0": {"node_run_inputs": [message]}}})
    ).run()

    assert any("the conversation is at the node" in each.value for each in app.warning)


def test_each_version_keeps_what_it_was_last_given(app, backend, record):
    first = backend.create_workflow(document(static("a", "Hello")), name="First")
    second = backend.create_workflow(document(static("a", "Hello")), name="Second")
    app.run()
    use(app, "input_mode", "JSON")
    text_area(app, "json").set_value('{"run_by": "qa"}').run()

    use(app, "workflow", first.id)
    other = text_area(app, "json").value
    use(app, "workflow", second.id)

    assert "qa" not in other
    assert json.loads(text_area(app, "json").value) == {"run_by": "qa"}


def test_workflow_without_settings_has_empty_input_and_no_complaint(app, backend):
    backend.create_workflow({"node_configs": [{"logical_id": "a", "type": "no_op", "is_start": True}]})

    app.run()

    assert not app.exception
    assert not app.error
    assert "edit_start_dynamic_variables" not in keys(app)


def test_default_wins_over_variable_of_document(app, backend, press):
    greeting = document(static("a", "{{shop}}"), say("chat"), direct("a", "chat"), defaults={"shop": "Leaf"})
    backend.create_workflow({**greeting, "dynamic_variables": {"shop": "Twig"}})
    app.run()

    press("start")

    assert words(app) == ["Leaf"]


def test_blank_hides_no_global_variable(app, backend, press):
    backend.store.globals.create({"name": "shop", "value": "Leaf", "is_secret": False})
    text = "{{shop}} and {{global.shop}} for {{who}}"
    backend.create_workflow(document(static("a", text), say("chat"), direct("a", "chat")))
    app.run()
    named = [row["name"] for row in table(app, "dynamic_variables")]

    press("start")

    assert named == ["who"]
    assert not app.warning
    assert words(app) == ["Leaf and Leaf for "]


def test_blank_hides_no_secret(monkeypatch, request):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRET_key", "planted")
    app, backend, press = map(request.getfixturevalue, ("app", "backend", "press"))
    with HttpServer() as http:
        call = node("call", "http_request", url=f"{http.url}/echo", headers={"X-Key": "{{key}}"})
        backend.create_workflow(document(call, say("chat"), direct("call", "chat")))
        app.run()

        press("start")

    assert [call.headers["x-key"] for call in http.received] == ["planted"]


@pytest.mark.parametrize("tier", ["dynamic_variables", "runtime_variables"])
def test_variables_of_document_itself_are_taken_over(app, backend, monkeypatch, tier):
    backend.create_workflow(document(static("a", "Hello")))
    own = Workflow.from_document({**document(static("a", "Hello")), tier: {"n": None}})
    monkeypatch.setattr(backend, "workflow", lambda *_: own)

    app.run()

    assert table(app, tier) == [{"name": "n", "type": "null", "value": ""}]


def test_huge_version_number_is_left_to_json(app, backend, record):
    backend.create_workflow(document(static("a", "Hello")))
    app.run()
    use(app, "input_mode", "JSON")
    text_area(app, "json").input(json.dumps({"version_number": 10**20})).run()

    use(app, "input_mode", "Form")

    assert not app.error
    assert any(f"Version {10**20} is too large" in caption.value for caption in app.caption)
    assert model(record).value["version_number"] == 10**20
