from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

import debugger
from debugger.errors import InputError
from debugger.protocol.base import AnswerModel
from debugger.protocol.events import EVENT_TYPES, Event, parse_event
from debugger.protocol.json_codec import encode
from debugger.protocol.notes import Comment, RunLabels, RunNotes
from debugger.protocol.runs import Run, RunOutput, Turn, TurnInput, TurnResult, unwrap_run
from debugger.protocol.turn_logs import turn_logs
from debugger.protocol.value_view import ValueView
from debugger.protocol.workflow import VersionSummary, WorkflowSummary

for _module in pkgutil.walk_packages(debugger.__path__, "debugger."):
    if _module.name.startswith(("debugger.protocol", "debugger.backends.hosted", "debugger.analysis")):
        importlib.import_module(_module.name)


def subclasses(cls):
    found = {each for each in cls.__subclasses__() if each.__module__.startswith("debugger.")}
    return sorted(found.union(*map(subclasses, found)), key=lambda each: (each.__module__, each.__qualname__))


quick = settings(max_examples=30, deadline=None)

ANSWERS = subclasses(AnswerModel)
VIEWS = subclasses(ValueView)

TARGET = {"kind": "turn", "key": "1"}
NEEDED = {
    "author": "Ada",
    "content": "Slow.",
    "created_at": "2026-07-01T12:00:00Z",
    "id": "workflow_1",
    "is_completed": False,
    "is_waiting_for_input": True,
    "logical_id": "comment_1",
    "name": "Tea",
    "reviewer": "Ada",
    "run_id": "run_1",
    "status": "running",
    "target": TARGET,
    "turn_number": 1,
    "version_number": 1,
    "workflow_id": "workflow_1",
    "workflow_run_id": "run_1",
}
VALUES = {"Rating": {"value": "up"}, "RunVerdict": {"value": "pass"}, "Verdict": {"value": "pass"}}

texts = st.text(st.characters(exclude_categories=()), max_size=4)
scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 2**63, 10**400, "1", "true", "5.5", "1e400", "up", "turn", "\ud800"])
    | st.integers()
    | st.floats()
    | texts
)
odd_values = st.recursive(
    scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(texts, each, max_size=3), max_leaves=6
)


def answers_of(cls):
    """Return objects of a class, with odd values in some fields, and fields that nobody knows."""
    needed = {name: NEEDED.get(name) for name, field in cls.model_fields.items() if field.is_required()}
    base = needed | VALUES.get(cls.__name__, {})
    fields = st.fixed_dictionaries({}, optional=dict.fromkeys(cls.model_fields, odd_values))
    unknown = st.dictionaries(texts, odd_values, max_size=2)
    return st.builds(lambda odd, more: {**more, **base, **odd}, fields, unknown)


adapter_of = functools.cache(TypeAdapter)


def is_of(annotation, value):
    adapter_of(annotation).validate_python(value, strict=True)
    return True


@pytest.mark.parametrize("cls", ANSWERS)
@quick
@given(data=st.data())
def test_answer_of_any_kind_has_the_declared_types_or_names_a_field(cls, data):
    wire = data.draw(answers_of(cls))
    before = encode(wire)
    read = cls.from_record if cls is TurnInput else cls.from_wire

    try:
        answer = read(wire)
    except InputError as error:
        assert error.message.startswith(f"{cls.__name__}: ")
        return

    types = get_type_hints(cls, include_extras=True)
    assert all(is_of(types[name], getattr(answer, name)) for name in cls.model_fields)
    assert encode(wire) == before
    if not (cls is Turn and None in (wire.get("run_input"), wire.get("run_output"))):
        assert encode(answer.to_wire()) == before


@pytest.mark.parametrize("cls", ANSWERS)
def test_null_in_an_optional_field_is_its_default(cls):
    """Otherwise null would be one thing where it is read, and another where the field is absent."""
    optional = {name: field for name, field in cls.model_fields.items() if not field.is_required()}
    needed = {name: NEEDED.get(name) for name, field in cls.model_fields.items() if field.is_required()}
    base = needed | VALUES.get(cls.__name__, {})
    read = cls.from_record if cls is TurnInput else cls.from_wire

    answer = read({**base, **dict.fromkeys(optional)})

    assert {name: getattr(answer, name) for name in optional} == {
        name: field.get_default(call_default_factory=True) for name, field in optional.items()
    }


@pytest.mark.parametrize(
    ("cls", "wire", "expected"),
    [
        (VersionSummary, {"version_number": "3", "is_active": 1}, {"version_number": 3, "is_active": True}),
        (VersionSummary, {"version_number": 3, "version_name": 5.5}, {"version_name": "5.5"}),
        (VersionSummary, {"version_number": 3, "is_active": [], "version_name": {}}, {"is_active": False}),
        (WorkflowSummary, {"id": 7, "active_version_number": "latest"}, {"id": "7"}),
        (RunLabels, {"starred": "yes", "tags": ["a", None, 5, {}], "note": None}, {"tags": ["a", "5"]}),
        (RunOutput, {"events": None, "thread_to_node_outputs": []}, {"events": []}),
        (Turn, {"in_progress": "true", "comments": {}}, {"is_in_progress": True, "comments": []}),
    ],
)
def test_scalars_of_an_answer_are_lenient(cls, wire, expected):
    answer = cls.from_wire(wire)

    assert {name: getattr(answer, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("cls", "wire", "named"),
    [
        (VersionSummary, {"version_number": "latest"}, "version_number"),
        (TurnResult, {**NEEDED, "status": "asleep"}, "status"),
        (TurnResult, {**NEEDED, "events": {}}, "events"),
        (Run, {**NEEDED, "input_output_pairs": [7]}, "input_output_pairs.0"),
        (Run, {**NEEDED, "input_output_pairs": [{"run_output": {"events": "none"}}]}, "run_output.events"),
        (RunNotes, {"comments": [{"author": "Ada"}]}, "comments.0.logical_id"),
        (Comment, {**NEEDED, "target": {"kind": "galaxy"}}, "target.kind"),
    ],
)
def test_answer_cannot_do_without_what_is_needed(cls, wire, named):
    with pytest.raises(InputError, match=named):
        cls.from_wire(wire)


def test_input_of_a_request_is_strict_and_of_a_record_lenient():
    wire = {"run_by": 5, "dynamic_variables": None, "thread_to_node_inputs": {"0": None, "1": {}}}

    recorded = TurnInput.from_record(wire)

    assert (recorded.run_by, recorded.dynamic_variables) == ("5", {})
    assert list(recorded.thread_to_node_inputs) == ["1"]
    for name in wire:
        with pytest.raises(InputError, match=name):
            TurnInput.from_wire({name: wire[name]})


@quick
@given(data=st.data())
def test_recorded_input_of_any_kind_makes_a_request(data):
    recorded = TurnInput.from_record(data.draw(answers_of(TurnInput)))

    request = TurnInput.from_wire(recorded.to_request())

    assert repr(request) == repr(recorded)  # not a number differs from itself


def test_record_of_another_backend_with_nulls_in_an_input_can_be_opened():
    pair = {"run_input": {"command": "data", "dynamic_variables": None, "miscellaneous": []}}

    (log,) = turn_logs(unwrap_run({**NEEDED, "input_output_pairs": [pair]}))

    assert (log.run_input.command, log.run_input.dynamic_variables) == ("data", {})


def test_unreadable_key_hides_no_odd_value():
    recorded = TurnInput.from_record({"\ud800": 1, "command": None, "run_by": 5})

    assert (recorded.command, recorded.run_by) == ("start", "5")


def test_parts_of_an_answer_remember_their_objects():
    output = {"events": [], "unknown": 1}
    run = Run.from_wire({**NEEDED, "input_output_pairs": [{"run_input": {}, "run_output": output}]})

    assert run.input_output_pairs[0].run_output.to_wire() is output


def test_what_is_made_here_is_not_mended():
    with pytest.raises(ValueError, match="tags"):
        RunLabels(tags=5)  # type: ignore[arg-type]
    assert not RunLabels(tags=["a"]).is_from_wire


# Views over free objects


@pytest.mark.parametrize("cls", VIEWS)
@quick
@given(data=st.data())
def test_view_of_any_object_has_the_declared_types(cls, data):
    types = {
        name: each
        for name, each in get_type_hints(cls, include_extras=True).items()
        if name in cls.__annotations__
    }
    wire = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(types, odd_values)) | odd_values)

    view = cls(wire)

    for name, annotation in types.items():
        value = getattr(view, name)
        if isinstance(annotation, type) and issubclass(annotation, ValueView):
            assert isinstance(value, annotation)
        else:
            assert is_of(annotation, value)


@pytest.mark.parametrize("event_type", [*EVENT_TYPES, "whisper"])
@quick
@given(data=st.data())
def test_event_of_any_kind_has_the_declared_types_or_is_refused(event_type, data):
    fields = EVENT_TYPES.get(event_type, Event).declared_fields
    odd = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(fields, odd_values)))
    unknown = data.draw(st.dictionaries(texts, odd_values, max_size=1))
    wire = {**unknown, **odd, "type": event_type}

    try:
        event = parse_event(wire)
    except InputError:
        assert any(wire.get(name) is not None for name in Event.declared_fields if name != "type")
        return

    assert event.to_wire() is wire
    for name, declared in type(event).declared_fields.items():
        assert is_of(declared.annotation, getattr(event, name))
    assert isinstance(event.summary, str)


# Nothing behind an answer asks for kinds again


KINDS = {"str", "int", "float", "bool", "dict", "list", "Mapping", "Sequence"}
READERS = {"as_objects", "as_bool", "as_number", "read_flag"}


def is_kind_test(call):
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or not call.args:
        return False
    if call.func.id == "isinstance":
        return bool(KINDS & {each.id for each in ast.walk(call.args[1]) if isinstance(each, ast.Name)})
    return call.func.id in READERS


def find_tests(tree, names):
    """Yield the tests of fields for their type, also by way of a local variable."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        taken = {
            target.id: node.value.attr
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in filter(is_kind_test, ast.walk(function)):
            tested = call.args[0]
            field = tested.value if isinstance(tested, ast.NamedExpr) else tested
            name = taken.get(field.id) if isinstance(field, ast.Name) else getattr(field, "attr", None)
            if name in names:
                yield ast.unparse(call)


def declared_names():
    """Return the names of the fields of answers and views; ``value`` is a field of many other classes."""
    answers = {name for cls in ANSWERS for name in cls.model_fields if get_type_hints(cls)[name] is not Any}
    views = {name for cls in VIEWS for name in cls.__annotations__ if get_type_hints(cls)[name] is not Any}
    return (answers | views) - {"value"}


OTHER_FIELDS = {
    "backends/forks/transcript.py": {"isinstance(event.content, str)"},
    "session/session.py": {"isinstance(log.events, list)"},
}
"""Tests of other fields of the same names.

A message's content is a text or a list of parts, and the events of a turn are a list while it runs.
"""


def test_no_field_of_an_answer_is_tested_for_its_type_again():
    root, names = Path(debugger.__file__).parent, declared_names()
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in root.rglob("*.py")}

    found = {path.relative_to(root).as_posix(): set(find_tests(tree, names)) for path, tree in trees.items()}

    assert {place: tests for place, tests in found.items() if tests} == OTHER_FIELDS


def test_a_field_that_is_tested_again_is_found():
    source = """
def total(run, other):
    usage, words = run.llm_token_usage, other.words
    tokens = run.llm_token_usage
    if isinstance(found := run.status, str) or isinstance(other.words, str):
        return as_objects(run.comments)
    return tokens if isinstance(tokens, dict) else {}
"""

    assert set(find_tests(ast.parse(source), declared_names())) == {
        "isinstance((found := run.status), str)",
        "as_objects(run.comments)",
        "isinstance(tokens, dict)",
    }


def find_wire_reads(tree):
    """Yield the reads of a key of what ``to_wire`` returns, which may be of any kind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            read = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            read = node.func.value
        else:
            continue
        if (
            isinstance(read, ast.Call)
            and isinstance(read.func, ast.Attribute)
            and read.func.attr == "to_wire"
        ):
            yield ast.unparse(node)


WIRE_READS = {
    # The reader of texts itself, and a list that is passed on as it is.
    "analysis/event_fields.py": {"event.to_wire().get(name)"},
    "backends/forks/forks.py": {"self._store.run(run_id).to_wire()['input_output_pairs']"},
    "session/verification.py": {"event.to_wire().get('edits')"},
    # Documents of authors, which are checked when they are stored.
    "analysis/thread_positions.py": {"nodes[own].to_wire().get('encapsulated_workflow_config')"},
    "server/workflows.py": {"workflow.to_wire().get('workflow_config')"},
    "views/panels/inspector.py": {"graph_of_node(view, chosen).workflow.to_wire().get('node_configs')"},
}


def test_no_answer_is_read_past_its_fields():
    root = Path(debugger.__file__).parent
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in root.rglob("*.py")}

    found = {path.relative_to(root).as_posix(): set(find_wire_reads(tree)) for path, tree in trees.items()}

    assert {place: reads for place, reads in found.items() if reads} == WIRE_READS


def test_no_field_of_an_answer_is_of_any_kind_by_accident():
    """A field that is typed `Any` is one whose reader looks at its kind."""
    answers = {f"{cls.__name__}.{name}" for cls in ANSWERS for name in own_hints(cls, cls.model_fields)}
    views = {f"{cls.__name__}.{name}" for cls in VIEWS for name in own_hints(cls, cls.__annotations__)}

    assert answers | views == ANY_FIELDS


def own_hints(cls, names):
    hints = get_type_hints(cls)
    return [name for name in names if hints[name] is Any and name in cls.__annotations__]


ANY_FIELDS = {"EventValues.content", "MessageMetadata.tool_result", "Turn.evaluation"}
"""What authors, tools and evaluators return, of any kind."""


RESULT = {"run_id": "run_1", "status": "running", "turn_number": 1}
RESULT |= {"is_waiting_for_input": False, "is_completed": False}


@pytest.mark.parametrize(
    ("cls", "base", "name"),
    [
        (Turn, {}, "in_progress"),
        (TurnResult, RESULT, "has_active_companions"),
        (TurnResult, RESULT, "has_background_work"),
    ],
)
def test_flag_of_an_odd_kind_does_not_say_that_a_turn_has_ended(cls, base, name):
    assert getattr(cls.from_wire({**base, name: None}), name) is False
    assert getattr(cls.from_wire({**base, name: "yes"}), name) is True
    with pytest.raises(InputError, match=name):
        cls.from_wire({**base, name: {"events": 3}})
