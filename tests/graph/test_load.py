from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.errors import InputError, InputJsonError, WorkflowError
from debugger.graph import load_workflow


def workflow(**fields: object) -> str:
    return json.dumps({"node_configs": [], "edge_configs": [], **fields}, ensure_ascii=False)


def test_a_document_is_read_and_written_back_unchanged() -> None:
    document = {
        "name": "Teestube 茶 🍵",
        "node_configs": [
            {"logical_id": "a", "type": "teleport", "distance": 2**70, "later": {"x": [1.5, None]}}
        ],
        "edge_configs": [{"logical_id": "e", "type": "direct", "weight": 12345678901234567890}],
        "something_new": True,
    }

    read = load_workflow(json.dumps(document))

    assert read.to_wire() == document
    assert read.name == "Teestube 茶 🍵"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_bytes_may_be_in_any_unicode_encoding(encoding: str) -> None:
    read = load_workflow(workflow(name="Büro").encode(encoding))

    assert read.name == "Büro"


def test_a_byte_order_mark_in_a_text_is_passed_over() -> None:
    assert load_workflow("\ufeff" + workflow(name="x")).name == "x"


def test_a_wrapped_document_is_unwrapped() -> None:
    wrapped = json.dumps({"workflow": {"workflow_config": json.loads(workflow(name="inner"))}})

    assert load_workflow(wrapped).name == "inner"


def test_a_missing_comma_is_shown_with_line_and_column() -> None:
    text = '{\n  "node_configs": [],\n  "name": "Tee" "edge_configs": []\n}'

    with pytest.raises(InputJsonError) as caught:
        load_workflow(text)

    assert (caught.value.line, caught.value.column) == (3, 17)
    assert caught.value.message.split("\n") == [
        "Not JSON at line 3, column 17: expecting ',' delimiter.",
        '  "name": "Tee" "edge_configs": []',
        " " * 16 + "^",
    ]


def test_a_fault_in_one_very_long_line_is_shown_with_what_stands_around_it() -> None:
    text = '{"node_configs": [' + '{"logical_id": "a"}, ' * 5000 + "oops]}"

    with pytest.raises(InputJsonError) as caught:
        load_workflow(text)

    _, shown, caret = caught.value.message.split("\n")
    assert len(shown) < 130
    assert shown[caret.index("^") :].startswith("oops")
    assert caught.value.column == text.index("oops") + 1


def test_a_tab_does_not_move_the_caret() -> None:
    with pytest.raises(InputJsonError) as caught:
        load_workflow('{\n\t\t"a" 1}')

    _, shown, caret = caught.value.message.split("\n")
    assert "\t" not in shown
    assert shown[caret.index("^")] == "1"


def test_a_file_that_was_cut_off_says_so() -> None:
    with pytest.raises(InputJsonError, match="the text ends here") as caught:
        load_workflow('{\n "node_configs": [\n\n\n')

    assert caught.value.line == 2
    assert "complete" in caught.value.advice


@pytest.mark.parametrize("text", ["", " \n\t", b"", "\ufeff"])
def test_an_empty_text_says_so(text: str | bytes) -> None:
    with pytest.raises(InputJsonError, match="empty"):
        load_workflow(text)


def test_bytes_that_are_no_text_are_shown_where_they_stand() -> None:
    with pytest.raises(InputJsonError, match="not UTF-8") as caught:
        load_workflow(b'{"a": 1,\n "b": "caf\xe9"}')

    assert (caught.value.line, caught.value.column) == (2, 11)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1" + "0" * 5000])
def test_a_number_that_json_does_not_have_is_pointed_at(number: str) -> None:
    text = '{"name": "NaN 1e999",\n "node_configs": [],\n "limit": ' + number + "}"

    with pytest.raises(InputJsonError, match="number") as caught:
        load_workflow(text)

    assert (caught.value.line, caught.value.column) == (3, 11)


def test_half_of_a_character_is_pointed_at() -> None:
    text = '{"node_configs": [],\n "name": "tea \\\\ud83c \\ud83c\\udf75 \\ud83c"}'

    with pytest.raises(InputJsonError, match="half of a character") as caught:
        load_workflow(text)

    assert (caught.value.line, caught.value.column) == (2, text.split("\n")[1].rindex("\\") + 1)


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        load_workflow("[" * 40_000)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("[]", "a list"), ('"x"', "a text"), ("3", "a number"), ("null", "nothing"), ("true", "true")],
)
def test_json_that_is_no_object_is_not_a_workflow(text: str, kind: str) -> None:
    with pytest.raises(WorkflowError, match=kind):
        load_workflow(text)


@pytest.mark.parametrize(
    "text", ["{}", '{"nodes": []}', '{"edge_configs": []}', '{"edge_configs": [], "node_configs": 3}']
)
def test_an_object_without_a_list_of_nodes_is_not_a_workflow(text: str) -> None:
    with pytest.raises(WorkflowError, match="node_configs"):
        load_workflow(text)


def test_a_node_without_an_id_is_told_by_position_and_name() -> None:
    text = workflow(node_configs=[{"logical_id": "a"}, {"name": "Order desk", "type": "say_llm"}])

    with pytest.raises(InputError, match=r"Node 2 \('Order desk'\) has no 'logical_id'"):
        load_workflow(text)


def test_an_id_that_is_no_text_is_shown() -> None:
    with pytest.raises(InputError, match="Node 1 has the 'logical_id' 5"):
        load_workflow(workflow(node_configs=[{"logical_id": 5}]))


def test_a_node_that_is_no_object_is_told_by_position() -> None:
    with pytest.raises(InputError, match="Node 2 is a text"):
        load_workflow(workflow(node_configs=[{"logical_id": "a"}, "b"]))


def test_an_edge_of_unknown_type_is_told_by_position_and_ends() -> None:
    edge = {
        "logical_id": "e9",
        "type": "magic",
        "source_node_logical_id": "a",
        "destination_node_logical_id": "b",
    }

    with pytest.raises(InputError) as caught:
        load_workflow(workflow(edge_configs=[edge]))

    assert caught.value.message == "Edge 1 ('e9', from a to b) has the 'type' \"magic\"."
    assert "direct, conditional, companion" in caught.value.advice


def test_an_edge_without_a_type_or_an_id_is_refused() -> None:
    with pytest.raises(InputError, match="no 'type'"):
        load_workflow(workflow(edge_configs=[{"logical_id": "e"}]))
    with pytest.raises(InputError, match=r"Edge 1 \(from a to nowhere\) has no 'logical_id'"):
        load_workflow(workflow(edge_configs=[{"type": "direct", "source_node_logical_id": "a"}]))


def test_a_bad_field_is_told_by_position_name_and_path() -> None:
    node = {"logical_id": "a", "name": "Poll", "self_loop_config": {"max_retries": 1000}}

    with pytest.raises(
        InputError, match=r"Node 1 \('Poll'\) cannot be read: self_loop_config\.max_retries: .*100"
    ):
        load_workflow(workflow(node_configs=[node]))


def test_a_bad_setting_of_the_workflow_is_told_by_its_path() -> None:
    with pytest.raises(InputError, match=r"The workflow cannot be read: workflow_config\.miscellaneous"):
        load_workflow(workflow(workflow_config={"miscellaneous": 3}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.text(max_size=30) | st.binary(max_size=30))
def test_no_text_ends_in_anything_but_an_error_made_for_people(text: str | bytes) -> None:
    with pytest.raises((InputError, WorkflowError)):
        load_workflow(text)


@given(st.lists(JSON, max_size=2), st.lists(JSON, max_size=2))
def test_whatever_stands_among_nodes_and_edges_is_read_or_refused(nodes: list, edges: list) -> None:
    text = json.dumps({"node_configs": nodes, "edge_configs": edges})

    try:
        read = load_workflow(text)
    except InputError as error:
        assert str(error)
    else:
        assert read.to_wire() == json.loads(text)
