from __future__ import annotations

from debugger.analysis.comparison.comparison import same_turn
from debugger.analysis.comparison.ignored import DEFAULT
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput, TurnLog, turn_logs
from debugger.settings import Settings
from tests.factories import direct, document, say, static, worker


def turn(*events, number=1):
    return TurnLog(number, TurnInput(), [parse_event(event) for event in events])


def at(node, kind="start_node_run", **fields):
    return {"type": kind, "origin_node_logical_id": node, **fields}


def test_turns_that_differ_in_ids_and_times_are_the_same():
    a = turn(at("a", logical_id="event_1", timestamp=1.0))
    b = turn(at("a", logical_id="event_2", timestamp=2.0), number=7)

    assert same_turn(a, b).is_same
    assert [str(found) for found in same_turn(a, b, ()).differences] == [
        "start_node_run at a: logical_id, timestamp"
    ]


def test_a_changed_value_is_told_with_its_path_before_and_after():
    a = turn(at("a"), at("a", "assistant_response", content="Hello"))
    b = turn(at("a"), at("a", "assistant_response", content="Hullo"))

    (found,) = same_turn(a, b).differences

    assert (found.type, found.node, found.place, found.only_in) == ("assistant_response", "a", 1, "")
    assert [(one.path, one.before, one.after) for one in found.values] == [("content", "Hello", "Hullo")]


def test_an_event_that_only_one_has_is_told_and_the_rest_stays_aligned():
    a = turn(at("a"), at("b"), at("c"))
    b = turn(at("a"), at("c"), at("d"))

    assert [str(found) for found in same_turn(a, b).differences] == [
        "start_node_run at b: only in A",
        "start_node_run at d: only in B",
    ]


def test_true_is_not_one_and_one_is_one_point_zero():
    assert not same_turn(turn(at("a", x=True)), turn(at("a", x=1))).is_same
    assert same_turn(turn(at("a", x=1)), turn(at("a", x=1.0))).is_same


def test_the_order_of_keys_says_nothing():
    assert same_turn(turn({"type": "t", "x": 1, "y": 2}), turn({"y": 2, "x": 1, "type": "t"})).is_same


def test_two_runs_of_the_engine_with_the_same_input_are_the_same_and_differ_in_what_is_passed_over(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    parts = static("hi", "Hello at {{shop}}"), say("chat"), worker("facts", {"tea": {"type": "string"}})
    kept = backend.create_workflow(document(*parts, direct("hi", "chat"), defaults={"shop": "Leaf"}))
    runs = []
    for _ in range(2):
        result = backend.execute(kept.id, TurnInput.saying(None)).finish()
        backend.execute(kept.id, TurnInput.saying("some tea"), run_id=result.run_id).finish()
        runs.append(turn_logs(backend.run(result.run_id)))
    backend.close()

    pairs = list(zip(*runs, strict=True))

    assert all(same_turn(a, b).is_same for a, b in pairs)
    for name in ("ids", "times", "durations", "random values"):
        assert not all(same_turn(a, b, DEFAULT - {name}).is_same for a, b in pairs), name
