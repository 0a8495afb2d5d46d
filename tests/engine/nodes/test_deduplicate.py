from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.engine.json_paths import parse_path
from debugger.engine.nodes.deduplicate import without_duplicates
from tests.support.factories import direct, node, static, when
from tests.support.node_run import output_of, run, variables_of

NAMES = [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bo"}, {"id": 1, "name": "Cy"}, {"name": "Di"}]


def test_first_of_each_key_and_keyless_survive():
    events = run(
        node("once", "deduplicate", input_runtime_variable_name="people", dedup_key="id"), people=NAMES
    )

    assert output_of(events) == {
        "events": [],
        "type": "deduplicate",
        "node_logical_id": "once",
        "node_run_id": "1",
        "success": True,
        "deduplicated_list": [NAMES[0], NAMES[1], NAMES[3]],
        "removed_count": 1,
        "error_message": None,
    }


def test_it_has_no_event_of_its_own():
    events = run(
        node("once", "deduplicate", input_runtime_variable_name="people", dedup_key="id"), people=NAMES
    )

    assert [event["type"] for event in events][2:6] == [
        "start_node_run",
        "end_node_run",
        "workflow_show_state",
        "end_thread",
    ]


def test_list_and_outcome_are_written_qualified_too():
    events = run(
        node("once", "deduplicate", input_runtime_variable_name="people", dedup_key="id"), people=NAMES
    )

    written = {
        "deduplicate_result": [NAMES[0], NAMES[1], NAMES[3]],
        "deduplicate_result_success": True,
        "deduplicate_result_error": None,
    }
    by_id = {f"once.{name}": value for name, value in written.items()}
    by_name = {f"Once.{name}": value for name, value in written.items()}
    assert variables_of(events) == {**written, **by_id, **by_name}


def test_the_result_can_have_another_name():
    events = run(
        node(
            "once",
            "deduplicate",
            input_runtime_variable_name="people",
            dedup_key="id",
            output_runtime_variable_name="unique",
        ),
        people=NAMES,
    )

    assert variables_of(events)["unique"] == [NAMES[0], NAMES[1], NAMES[3]]
    assert variables_of(events)["unique_success"] is True
    assert "deduplicate_result" not in variables_of(events)


def test_key_variable_wins_over_written_key():
    people = [{"id": 1, "home": {"city": "Rome"}}, {"id": 2, "home": {"city": "Rome"}}]
    once = node(
        "once",
        "deduplicate",
        input_runtime_variable_name="people",
        dedup_key="id",
        dedup_key_runtime_variable_name="key",
    )

    events = run(once, people=people, key="home.city")

    assert output_of(events)["deduplicated_list"] == people[:1]


def test_the_list_can_stand_inside_a_variable():
    once = node("once", "deduplicate", input_runtime_variable_name="answer.rows", dedup_key="id")

    events = run(once, answer={"rows": NAMES})

    assert output_of(events)["removed_count"] == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "'people' holds the number 7, not a list"),
        ({"input_runtime_variable_name": "text"}, "'text' holds a text, not a list"),
        ({"input_runtime_variable_name": "nothing"}, "'nothing' holds null, not a list"),
        ({"input_runtime_variable_name": "one"}, "'one' holds an object, not a list"),
        ({"input_runtime_variable_name": "yes"}, "'yes' holds true, not a list"),
        ({"input_runtime_variable_name": "gone"}, "no runtime variable 'gone', which input_runtime_"),
        ({"input_runtime_variable_name": None}, "input_runtime_variable_name is empty"),
        ({"input_runtime_variable_name": ""}, "input_runtime_variable_name is empty"),
        ({"dedup_key": None}, "dedup_key is empty"),
        ({"dedup_key": "a..b"}, "'a..b' is not a path"),
        ({"dedup_key": "rows[].id"}, "many key values"),
        ({"dedup_key_runtime_variable_name": "gone"}, "'gone', which dedup_key_runtime_variable_name names"),
        ({"dedup_key_runtime_variable_name": "list"}, "'list' holds a list, not a path"),
        ({"dedup_key_runtime_variable_name": "empty"}, "'' is not a path"),
    ],
)
def test_error_is_in_outcome_and_run_continues(fields, said):
    config = {"input_runtime_variable_name": "people", "dedup_key": "id", **fields}
    given = {"people": 7, "text": "[]", "nothing": None, "one": {}, "yes": True, "list": ["id"], "empty": ""}

    events = run(
        node("once", "deduplicate", **config),
        static("sorry", "No list: [[deduplicate_result_error]]"),
        when("once", "sorry", "NOT [[deduplicate_result_success]]"),
        **given,
    )

    output = next(event["run_output"] for event in events if event["type"] == "end_node_run")
    assert (output["success"], output["deduplicated_list"], output["removed_count"]) == (False, None, 0)
    assert said in output["error_message"]
    (spoken,) = [event["content"] for event in events if event["type"] == "assistant_response"]
    assert spoken == f"No list: {output['error_message']}"
    assert events[-1]["type"] == "end_workflow"


def test_failure_clears_an_earlier_result():
    parts = (
        node("first", "deduplicate", input_runtime_variable_name="people", dedup_key="id"),
        node("second", "deduplicate", input_runtime_variable_name="gone", dedup_key="id"),
        direct("first", "second"),
    )

    events = run(*parts, people=NAMES)

    shown = [event["runtime_variables"] for event in events if event["type"] == "workflow_show_state"][-1]
    assert shown["deduplicate_result"] is None
    assert shown["deduplicate_result_success"] is False
    assert shown["first.deduplicate_result_success"] is True


def test_deepest_possible_data_is_compared():
    deep = []
    for _ in range(240):
        deep = [deep]
    once = node("once", "deduplicate", input_runtime_variable_name="people", dedup_key="id")

    events = run(once, people=[{"id": deep}, {"id": deep}, {"id": [deep]}])

    assert output_of(events)["removed_count"] == 1


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([1, True, "1", "true"], [0, 1, 2, 3]),
        ([0, False, "", None, [], {}], [0, 1, 2, 3, 4, 5]),
        ([1, 1.0, 1.5], [0, 2]),
        ([None, None], [0]),
        ([2**60, 2**60 + 1, float(2**60)], [0, 1]),
        ([[1], [True], [1, 2], [1]], [0, 1, 2]),
        ([[1, 2], [2, 1]], [0, 1]),
        ([{}, [], {}, []], [0, 1]),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}], [0, 2]),
        ([{"a": 1}, ["a", 1], [["a", 1]]], [0, 1, 2]),
        ([True, ["boolean", True], ["boolean", 1], "boolean"], [0, 1, 2, 3]),
        (["a", "A", "a "], [0, 1, 2]),
        ([], []),
    ],
)
def test_key_values_compare_by_type_and_value(values, kept):
    given = [{"key": value, "place": place} for place, value in enumerate(values)]

    survivors = without_duplicates(given, ("key",))

    assert [survivor["place"] for survivor in survivors] == kept


@pytest.mark.parametrize(
    ("key", "given", "kept"),
    [
        ("a.b", [{"a": {"b": 1}}, {"a": {"b": 1}}, {"a": 1}, {"a": 1}], [0, 2, 3]),
        ("a[0]", [{"a": [1, 2]}, {"a": [1, 3]}, {"a": []}, {"a": []}], [0, 2, 3]),
        ("a[-1]", [{"a": [1, 3]}, {"a": [2, 3]}], [0]),
        ("['a.b']", [{"a.b": 1}, {"a.b": 1}, {"a": {"b": 1}}], [0, 2]),
        ("a.size", [{"a": []}, {"a": []}], [0, 1]),
        ("id", [1, 1, "id", "id", None, None, [1], [1]], [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_key_is_a_path_into_elements(key, given, kept):
    assert without_duplicates(given, parse_path(key)) == [given[place] for place in kept]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "1", "true", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(JSON_VALUES.map(lambda value: {"key": value}) | st.just({"other": 1})))
def test_survivors_match_their_json_texts(rows):
    seen = set()
    expected = []
    for row in rows:
        text = json.dumps(row["key"], sort_keys=True) if "key" in row else None
        if text is None or text not in seen:
            expected.append(row)
        seen.add(text)

    assert without_duplicates(rows, ("key",)) == expected
