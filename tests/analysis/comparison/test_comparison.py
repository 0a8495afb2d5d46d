from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.analysis.comparison.comparison import Totals, compare, compare_turns, turn_offset
from debugger.analysis.comparison.ignored import IGNORED_BETWEEN_REPLAYS, IGNORED_BETWEEN_RUNS, NULLS
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.events import parse_event
from debugger.protocol.runs import Run, TurnInput
from debugger.protocol.turn_logs import TurnLog, turn_logs
from debugger.settings import Settings
from tests.support.factories import direct, document, say, static, worker
from tests.support.short_turns import at, hears, shows, speaks, turn


def told(found):
    return [(row.status, row.turn, found.get_item(row).type, found.get_item(row).node) for row in found.rows]


def test_compare_equal_turns_row_by_row():
    turns = [turn(1, None, at("a")), turn(2, "hi", hears("a", "hi"), speaks("a", "Hello"))]

    found = compare(turns, turns)

    assert {row.status for row in found.rows} == {"same"}
    assert (len(found.rows), found.first, found.differing) == (5, None, [])


def test_compare_empty_runs_has_no_rows():
    assert compare([], []).rows == []


def test_align_by_turn_then_node_and_type():
    a = [turn(1, None, at("a"), at("b"), at("b", "end_node_run"), at("c"))]
    b = [turn(1, None, at("a"), at("b", "end_node_run"), at("d"), at("c"))]

    assert told(compare(a, b)) == [
        ("same", 1, "run_input", None),
        ("same", 1, "start_node_run", "a"),
        ("only_a", 1, "start_node_run", "b"),
        ("same", 1, "end_node_run", "b"),
        ("only_b", 1, "start_node_run", "d"),
        ("same", 1, "start_node_run", "c"),
    ]


nodes = st.lists(st.sampled_from("abc"), max_size=12)


@given(nodes, nodes)
def test_swapped_sides_have_the_same_rows(in_a, in_b):
    a, b = ([turn(1, None, *map(at, one))] for one in (in_a, in_b))

    there, back = compare(a, b).rows, compare(b, a).rows

    assert {(row.a, row.b) for row in there} == {(row.b, row.a) for row in back}


def test_align_missing_event_keeps_next_turn():
    a = [turn(1, None, at("a"), at("b")), turn(2, "x", at("c"))]
    b = [turn(1, None, at("a")), turn(2, "x", at("c"))]

    assert [row.status for row in compare(a, b).rows] == ["same", "same", "only_a", "same", "same"]


def test_compare_turns_of_one_run_only():
    a, b = [turn(1, None, at("a"))], [turn(1, None, at("a")), turn(2, "more", at("a"))]

    assert [(row.status, row.turn) for row in compare(a, b).rows[2:]] == [("only_b", 2), ("only_b", 2)]
    assert [row.status for row in compare(b, a).rows[2:]] == ["only_a", "only_a"]


def test_compare_continued_run_with_later_turns():
    a = [turn(1, None, at("a")), turn(2, "x", at("b")), turn(3, "y", at("c"))]
    b = [turn(1, "x", at("b")), turn(2, "z", at("c"))]

    found = compare(a, b, shift=1)

    assert [(row.status, row.turn) for row in found.rows] == [
        ("only_a", 1), ("only_a", 1), ("same", 2), ("same", 2), ("changed", 3), ("same", 3)
    ]  # fmt: skip


def test_align_background_work_with_its_turn():
    work = replace(turn(1, None, at("c")), is_background=True)
    a, b = [turn(1, None, at("a")), work], [turn(1, None, at("a"))]

    assert [(row.status, row.turn) for row in compare(a, b).rows[2:]] == [("only_a", 1), ("only_a", 1)]


def test_comparison_differences_from_a_to_b():
    a, b = [turn(1, None, speaks("a", "Hello"))], [turn(1, None, speaks("a", "Hullo"))]

    found = compare(a, b)

    (difference,) = found.differences(found.rows[1])
    assert (difference.path, difference.before, difference.after) == ("content", "Hello", "Hullo")
    assert [row.status for row in found.rows] == ["same", "changed"]


def test_compare_skips_ignored_values_only():
    a, b = [turn(1, None, at("a", origin_node_run_id="1"))], [turn(1, None, at("a", origin_node_run_id="2"))]

    assert compare(a, b).first is None
    assert compare(a, b, IGNORED_BETWEEN_RUNS - {"counters"}).first == 1


def test_differences_are_gone_through_in_order():
    a = [turn(1, None, at("a"), at("b"), at("c"), at("d"))]
    b = [turn(1, None, at("a"), at("c"), at("e"))]

    found = compare(a, b)

    assert found.differing == [2, 4, 5]
    assert (found.first, found.following(-1), found.following(2), found.following(5)) == (2, 2, 4, None)
    assert (found.preceding(5), found.preceding(2)) == (4, None)


def test_differing_rows_are_counted_by_kind():
    a = [turn(1, "one", at("a"), speaks("a", "Hello"), shows(tea="Assam"))]
    b = [turn(1, "two", at("b"), speaks("a", "Hullo"), shows(tea="Ceylon"), {"type": "workflow_error"})]

    assert compare(a, b).kinds == {"input": 1, "path": 2, "words": 1, "state": 1, "failure": 1}


def test_events_keep_their_place_in_the_run():
    found = compare([turn(1, None, at("a"), at("b")), turn(2, "x", at("c"))], [])

    assert [item.event_index for item in found.a] == [None, 0, 1, None, 2]


@pytest.mark.parametrize("size", [199, 200, 201, 1_000])
def test_align_long_mismatch_keeps_every_event(size):
    a = [turn(1, None, *(at(f"a{n % 7}") for n in range(size)))]
    b = [turn(1, None, *(at(f"a{n * 3 % 5}") for n in range(size + 50)))]

    found = compare(a, b)

    assert [row.a for row in found.rows if row.a is not None] == list(range(size + 1))
    assert [row.b for row in found.rows if row.b is not None] == list(range(size + 51))


TURNS = [turn(1, None, at("a")), turn(2, "x", at("b")), turn(3, "y", at("c"))]


def run(run_id, **fields):
    return Run.from_wire({"workflow_run_id": run_id, "workflow_id": "w", "status": "completed", **fields})


def test_runs_of_no_kin_begin_together():
    assert turn_offset(run("a"), TURNS, run("b"), TURNS[1:]) == 0


def test_turn_offset_of_a_continued_run():
    child = run("b", source_workflow_run_id="a", checkpoint_source_turn_index=1)

    assert turn_offset(run("a"), TURNS, child, TURNS[1:]) == 1
    assert turn_offset(child, TURNS[1:], run("a"), TURNS) == -1


def test_turn_offset_zero_for_complete_record():
    child = run("b", source_workflow_run_id="a", checkpoint_source_turn_index=2)

    assert turn_offset(run("a"), TURNS, child, TURNS) == 0


def plain_turn(*events, number=1):
    return TurnLog(number, TurnInput(), [parse_event(event) for event in events])


def node_event(node, kind="start_node_run", **fields):
    return {"type": kind, "origin_node_logical_id": node, **fields}


def test_compare_turns_ignores_ids_and_times():
    a = plain_turn(node_event("a", logical_id="event_1", timestamp=1.0))
    b = plain_turn(node_event("a", logical_id="event_2", timestamp=2.0), number=7)

    assert compare_turns(a, b).is_same
    assert [str(found) for found in compare_turns(a, b, ()).differences] == [
        "start_node_run at a: logical_id, timestamp"
    ]


def test_compare_turns_names_changed_paths():
    a = plain_turn(node_event("a"), node_event("a", "assistant_response", content="Hello"))
    b = plain_turn(node_event("a"), node_event("a", "assistant_response", content="Hullo"))

    (found,) = compare_turns(a, b).differences

    assert (found.type, found.node, found.place, found.only_in) == ("assistant_response", "a", 1, "")
    assert [(one.path, one.before, one.after) for one in found.values] == [("content", "Hello", "Hullo")]


def test_compare_turns_names_missing_events():
    a = plain_turn(node_event("a"), node_event("b"), node_event("c"))
    b = plain_turn(node_event("a"), node_event("c"), node_event("d"))

    assert [str(found) for found in compare_turns(a, b).differences] == [
        "start_node_run at b: only in A",
        "start_node_run at d: only in B",
    ]


def test_compare_turns_keeps_types_apart():
    assert not compare_turns(plain_turn(node_event("a", x=True)), plain_turn(node_event("a", x=1))).is_same
    assert compare_turns(plain_turn(node_event("a", x=1)), plain_turn(node_event("a", x=1.0))).is_same


def test_the_order_of_keys_says_nothing():
    assert compare_turns(
        plain_turn({"type": "t", "x": 1, "y": 2}), plain_turn({"y": 2, "x": 1, "type": "t"})
    ).is_same


def test_compare_engine_runs_of_same_input(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    parts = static("hi", "Hello at {{shop}}"), say("chat"), worker("facts", {"tea": {"type": "string"}})
    kept = backend.create_workflow(document(*parts, direct("hi", "chat"), defaults={"shop": "Leaf"}))
    runs = []
    for _ in range(2):
        result = backend.execute(kept.id, TurnInput.with_message(None)).finish()
        backend.execute(kept.id, TurnInput.with_message("some tea"), run_id=result.run_id).finish()
        runs.append(turn_logs(backend.run(result.run_id)))
    backend.close()

    pairs = list(zip(*runs, strict=True))

    assert all(compare_turns(a, b).is_same for a, b in pairs)
    for name in ("ids", "times", "random values"):
        assert not all(compare_turns(a, b, IGNORED_BETWEEN_REPLAYS - {name}).is_same for a, b in pairs), name


def run_with_usage(**fields):
    return Run.from_wire({"workflow_run_id": "r", "workflow_id": "w", "status": "completed", **fields})


def test_turns_events_time_and_tokens_are_counted():
    closing = {"type": "end_workflow_iteration", "iteration_metrics": {"e2e_latency_milliseconds": 40}}

    found = Totals.of(
        run_with_usage(llm_token_usage={"total_tokens": 12}),
        [turn(1, None, at("a"), closing), turn(2, "x", closing)],
    )

    assert found == Totals(turns=2, events=3, milliseconds=80, tokens=12)


def test_totals_count_turns_without_closing_event():
    """A hosted turn that ends in a wait has none."""
    waits = turn(1, None, at("a", timestamp=100.0), at("a", "busy_wait_for_user_message", timestamp=103.0))
    closing = {"type": "end_workflow_iteration", "iteration_metrics": {"e2e_latency_milliseconds": 1000}}

    assert Totals.of(run_with_usage(), [waits, turn(2, "x", closing)]).milliseconds == 4000


def test_totals_unknown_values_are_none():
    strange = {"type": "end_workflow_iteration", "iteration_metrics": {"e2e_latency_milliseconds": True}}

    assert Totals.of(run_with_usage(), []) == Totals(turns=0, events=0, milliseconds=None, tokens=None)
    assert Totals.of(run_with_usage(), [turn(1, None, strange)]).milliseconds is None


def outputs(**values):
    """A run of one event with these values in its output."""
    return [turn(1, None, at("a") | {"run_output": values})]


def test_compare_takes_absent_key_for_null():
    a, b = outputs(note=None, tea={"size": None}, kind="x"), outputs(tea={}, kind="x")

    assert compare(a, b).differing == []
    assert compare(a, b, IGNORED_BETWEEN_RUNS - {NULLS}).differing == [1]
    assert compare(outputs(note=None), outputs(note=1)).differing == [1]
    assert compare(outputs(notes=[None]), outputs(notes=[])).differing == [1]


def test_compare_turns_tells_null_from_absent_key():
    (a,), (b,) = outputs(note=None), outputs()

    assert not compare_turns(a, b).is_same


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        ({"tea": 1}, {"tea": 1}, ""),
        ({"tea": "Assam"}, {"tea": "Sencha"}, 'tea: "Assam" → "Sencha"'),
        ({"tea": 1}, {}, "tea removed: 1"),
        ({}, {"tea": 1}, "tea added: 1"),
        (
            {"a": 1, "b": 1, "c": 1},
            {"a": 2, "b": 2, "c": 2},
            "a: 1 → 2; b: 1 → 2; 1 more",
        ),
        ({"tea": "x" * 99}, {"tea": 1}, f'tea: "{"x" * 38}… → 1'),
    ],
)
def test_change_names_what_differs(a, b, text):
    found = compare(outputs(**a), outputs(**b))

    assert found.change(found.rows[1]) == text


def test_change_of_single_event_names_its_run():
    found = compare([turn(1, None, at("a"))], [turn(1, None, at("b"))])

    assert [found.change(row) for row in found.rows[1:]] == ["Only in A", "Only in B"]
