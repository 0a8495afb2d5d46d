from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.engine.json_paths import EVERY, parse_path
from debugger.engine.nodes.field_extractor import extract
from debugger.errors import InputError
from tests.support.factories import node, static, when
from tests.support.node_run import output_of, run, variables_of

ORDER = {
    "id": 7,
    "guest": {"name": "Ann", "phone": "555", "home": {"city": "Rome", "zip": "00100"}},
    "rows": [{"id": 1, "tea": "green"}, {"id": 2, "tea": "black"}, {"tea": "white"}],
}


def test_named_fields_stay_in_place():
    keys = ["guest.name", "rows[].id"]
    events = run(
        node("pick", "field_extractor", input_runtime_variable_name="order", keys_to_retain=keys), order=ORDER
    )

    assert output_of(events) == {
        "events": [],
        "type": "field_extractor",
        "node_logical_id": "pick",
        "node_run_id": "1",
        "success": True,
        "extracted_result": {"guest": {"name": "Ann"}, "rows": [{"id": 1}, {"id": 2}, {}]},
        "error_message": None,
    }


def test_it_has_no_event_of_its_own():
    events = run(
        node("pick", "field_extractor", input_runtime_variable_name="order", keys_to_retain=["id"]),
        order=ORDER,
    )

    assert [event["type"] for event in events][2:6] == [
        "start_node_run",
        "end_node_run",
        "workflow_show_state",
        "end_thread",
    ]


def test_result_and_outcome_are_written_qualified_too():
    events = run(
        node("pick", "field_extractor", input_runtime_variable_name="order", keys_to_retain=["id"]),
        order=ORDER,
    )

    written = {
        "field_extractor_result": {"id": 7},
        "field_extractor_result_success": True,
        "field_extractor_result_error": None,
    }
    by_id = {f"pick.{name}": value for name, value in written.items()}
    by_name = {f"Pick.{name}": value for name, value in written.items()}
    assert variables_of(events) == {**written, **by_id, **by_name}


def test_path_variable_wins_and_result_is_renamed():
    pick = node(
        "pick",
        "field_extractor",
        input_runtime_variable_name="order",
        keys_to_retain=["id"],
        keys_to_retain_runtime_variable_name="wanted",
        output_runtime_variable_name="picked",
    )

    events = run(pick, order=ORDER, wanted=["rows[1].tea"])

    assert variables_of(events)["picked"] == {"rows": [{"tea": "black"}]}
    assert variables_of(events)["picked_success"] is True
    assert "field_extractor_result" not in variables_of(events)


def test_the_input_stays_as_it_was():
    pick = node("pick", "field_extractor", input_runtime_variable_name="order", keys_to_retain=["rows[].id"])

    run(pick, order=ORDER)

    assert ORDER["rows"][2] == {"tea": "white"}
    assert ORDER["guest"]["phone"] == "555"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"input_runtime_variable_name": "number"}, "'number' holds the number 1.5, which has no fields"),
        ({"input_runtime_variable_name": "text"}, "'text' holds a text, which has no fields"),
        ({"input_runtime_variable_name": "nothing"}, "'nothing' holds null, which has no fields"),
        ({"input_runtime_variable_name": "gone"}, "no runtime variable 'gone', which input_runtime_"),
        ({"input_runtime_variable_name": None}, "input_runtime_variable_name is empty"),
        ({"keys_to_retain": []}, "no keys to retain"),
        (
            {"keys_to_retain": ["id", "rows[x]"]},
            "'rows[x]' is not a path: it is invalid from character 5",
        ),
        ({"keys_to_retain_runtime_variable_name": "gone"}, "'gone', which keys_to_retain_runtime_variable"),
        ({"keys_to_retain_runtime_variable_name": "text"}, "'text' holds a text, not a list of paths"),
        ({"keys_to_retain_runtime_variable_name": "mixed"}, "'mixed' holds a list with null in it"),
        ({"keys_to_retain_runtime_variable_name": "empty"}, "no keys to retain"),
    ],
)
def test_error_is_in_outcome_and_run_continues(fields, said):
    config = {"input_runtime_variable_name": "order", "keys_to_retain": ["id"], **fields}
    variables = {"number": 1.5, "text": "id", "nothing": None, "mixed": ["id", None], "empty": []}

    events = run(
        node("pick", "field_extractor", **config),
        static("sorry", "Not found: [[field_extractor_result_error]]"),
        when("pick", "sorry", "NOT [[field_extractor_result_success]]"),
        order=ORDER,
        **variables,
    )

    output = next(event["run_output"] for event in events if event["type"] == "end_node_run")
    assert (output["success"], output["extracted_result"]) == (False, None)
    assert said in output["error_message"]
    (spoken,) = [event["content"] for event in events if event["type"] == "assistant_response"]
    assert spoken == f"Not found: {output['error_message']}"
    assert events[-1]["type"] == "end_workflow"


def test_deepest_possible_data_is_followed():
    deep = {"b": 1}
    for _ in range(240):
        deep = {"a": deep, "x": 0}
    path = ".".join(["a"] * 240)
    pick = node("pick", "field_extractor", input_runtime_variable_name="deep", keys_to_retain=[path])

    events = run(pick, deep=deep)

    kept = output_of(events)["extracted_result"]
    for _ in range(240):
        assert list(kept) == ["a"]
        kept = kept["a"]
    assert kept == {"b": 1}


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        (["id"], {"id": 7}),
        (["guest"], {"guest": ORDER["guest"]}),
        (["guest.home.city"], {"guest": {"home": {"city": "Rome"}}}),
        (["guest.home.city", "guest.name"], {"guest": {"name": "Ann", "home": {"city": "Rome"}}}),
        (["guest.name", "guest"], {"guest": ORDER["guest"]}),
        (["rows"], {"rows": ORDER["rows"]}),
        (["rows[]"], {"rows": ORDER["rows"]}),
        (["rows[].id"], {"rows": [{"id": 1}, {"id": 2}, {}]}),
        (["rows[1].id"], {"rows": [{"id": 2}]}),
        (["rows[1]"], {"rows": [{"id": 2, "tea": "black"}]}),
        (["rows[-1].tea"], {"rows": [{"tea": "white"}]}),
        (["rows[9].id"], {"rows": []}),
        (["rows[1].tea", "rows[].id"], {"rows": [{"id": 1}, {"id": 2, "tea": "black"}, {}]}),
        (["rows[2].tea", "rows[0].id"], {"rows": [{"id": 1}, {"tea": "white"}]}),
        (["nobody"], {}),
        (["id.deeper"], {}),
        (["rows.id"], {"rows": []}),
        (["guest[0]"], {"guest": {}}),
        (["guest.nobody"], {"guest": {}}),
    ],
)
def test_what_paths_keep_of_an_object(keys, kept):
    assert extract(ORDER, [parse_path(key) for key in keys]) == kept


def test_fields_keep_the_order_of_the_data():
    kept = extract(ORDER, [parse_path("rows[0].tea"), parse_path("rows[0].id"), parse_path("id")])

    assert list(kept) == ["id", "rows"]
    assert list(kept["rows"][0]) == ["id", "tea"]


@pytest.mark.parametrize(
    ("given", "keys", "kept"),
    [
        ({"m": [[{"a": 1, "b": 2}], [{"a": 3}]]}, ["m[][].a"], {"m": [[{"a": 1}], [{"a": 3}]]}),
        ({"m": [[{"a": 1, "b": 2}], [{"a": 3}]]}, ["m[1][].a"], {"m": [[{"a": 3}]]}),
        ({"m": [[1, 2], [3, 4]]}, ["m[][0]"], {"m": [[1], [3]]}),
        (
            {"rows": [{"cups": [{"n": 1, "x": 0}]}, {"cups": []}]},
            ["rows[].cups[].n"],
            {"rows": [{"cups": [{"n": 1}]}, {"cups": []}]},
        ),
        ({"rows": [1, None, {"id": 2}]}, ["rows[].id"], {"rows": [{"id": 2}]}),
        ({"rows": [1, None]}, ["rows[]"], {"rows": [1, None]}),
        ({"a.b": 1, "a": {"b": 2}}, ["['a.b']"], {"a.b": 1}),
        ({"a.b": 1, "a": {"b": 2}}, ["a.b"], {"a": {"b": 2}}),
        ({"first name": 1, "0": 2}, ["first name", "0"], {"first name": 1, "0": 2}),
        ([{"id": 1, "x": 2}, {"id": 3}], ["id"], [{"id": 1}, {"id": 3}]),
        ([{"id": 1, "x": 2}, {"id": 3}], ["[].id"], [{"id": 1}, {"id": 3}]),
        ([{"id": 1, "x": 2}, {"id": 3}], ["[1].id"], [{"id": 3}]),
        ([{"id": 1, "x": 2}, {"id": 3}], ["x", "[1].id"], [{"x": 2}, {"id": 3}]),
        ({"a": None}, ["a"], {"a": None}),
        ({"a": None}, ["a.b"], {}),
        ([], ["id"], []),
        ({}, ["id"], {}),
    ],
)
def test_paths_select_in_nested_and_odd_data(given, keys, kept):
    assert extract(given, [parse_path(key) for key in keys]) == kept


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b.c", ("a", "b", "c")),
        ("rows[].id", ("rows", EVERY, "id")),
        ("rows[ ].id", ("rows", EVERY, "id")),
        ("rows[12].id", ("rows", 12, "id")),
        ("rows[-1]", ("rows", -1)),
        ("m[][0]", ("m", EVERY, 0)),
        ("[].id", (EVERY, "id")),
        ("a['b.c'].d", ("a", "b.c", "d")),
        ('a["b\'[]"]', ("a", "b'[]")),
        ("['']", ("",)),
        ("ключ.名", ("ключ", "名")),
    ],
)
def test_a_path_is_read_step_by_step(text, path):
    assert parse_path(text) == path


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("", 1),
        (".", 1),
        (".a", 1),
        ("a.", 2),
        ("a..b", 2),
        ("a.[0]", 2),
        ("a[0]b", 5),
        ("a[b]", 2),
        ("a[1.5]", 2),
        ("a[0", 2),
        ("a]", 2),
        ("a['b]", 2),
        ("a[9999999999]", 2),
    ],
)
def test_malformed_path_is_rejected_with_place(text, character):
    with pytest.raises(InputError, match=f"from character {character} on"):
        parse_path(text)


def leaf_paths(value, path=""):
    """The written path of every plain value and every empty object or list."""
    if isinstance(value, dict) and value:
        return [leaf for name, inner in value.items() for leaf in leaf_paths(inner, f'{path}["{name}"]')]
    if isinstance(value, list) and value:
        return [leaf for place, inner in enumerate(value) for leaf in leaf_paths(inner, f"{path}[{place}]")]
    return [path]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.[]' é"), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text("ab.[]' é"), JSON_VALUES, min_size=1) | st.lists(JSON_VALUES, min_size=1))
def test_all_paths_together_select_everything(value):
    # In a list a path that begins with a name is meant for each element; these all begin with an index.
    paths = [parse_path(written) for written in leaf_paths(value)]

    assert extract(value, paths) == value
