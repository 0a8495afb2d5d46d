from __future__ import annotations

import pytest

from debugger.protocol.events import EVENT_TYPES, Event, SayStaticEvent, parse_event


def wire_of(event_type, **fields):
    """Return the object of an event as the engine makes it."""
    cls = EVENT_TYPES[event_type]
    needed = {name: "x" for name, field in cls.declared_fields.items() if field.is_required}
    return dict(cls(**{**needed, "logical_id": "event_1", "timestamp": 5.5, **fields}).to_wire())


def values(event):
    return [(name, getattr(event, name)) for name in event.declared_fields]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_event_of_known_shape_reads_alike(event_type):
    cls, wire = EVENT_TYPES[event_type], wire_of(event_type, comments=["well"])
    first = cls.from_wire(dict(wire))

    event = cls.from_wire(wire)

    assert event == first
    assert values(event) == [(name, wire[name]) for name in cls.declared_fields]
    assert event.to_wire() is wire


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (
            {"type": "say_static", "logical_id": "event_1"},
            {"timestamp": 0.0, "comments": [], "message": None},
        ),
        ({**wire_of("say_static"), "from_next_year": [1]}, {"timestamp": 5.5}),
        (dict(reversed(wire_of("say_static").items())), {"timestamp": 5.5, "logical_id": "event_1"}),
        (wire_of("say_static", timestamp=5), {"timestamp": 5.0}),
        (wire_of("say_static", interrupted=1), {"interrupted": True}),
        (wire_of("say_static", timestamp="5"), {"timestamp": 5.0}),
    ],
    ids=["fields are missing", "a key more", "another order", "whole number", "number as truth", "text"],
)
def test_event_converts_values_each_time(wire, expected):
    for _ in range(2):
        event = SayStaticEvent.from_wire(wire)

        assert {name: getattr(event, name) for name in expected} == expected
        assert [type(getattr(event, name)) for name in expected] == [
            type(value) for value in expected.values()
        ]
        assert event.to_wire() is wire


@pytest.mark.parametrize(
    ("event_type", "field", "good", "bad"),
    [
        ("self_loop_exhausted", "outcome", "max_retries", "nope"),
        ("workflow_ready_for_input", "active_companion_thread_ids", ["lab"], [7]),
        ("user_messages", "messages", [{"content": "Hi"}], ["Hi"]),
    ],
)
def test_event_checks_nested_values_each_time(event_type, field, good, bad):
    for _ in range(2):
        assert type(parse_event(wire_of(event_type, **{field: good}))) is EVENT_TYPES[event_type]

    event = parse_event(wire_of(event_type, **{field: bad}))

    assert type(event) is Event
    assert event.to_wire()[field] == bad


@pytest.mark.parametrize("name", ["logical_id", "timestamp", "comments", "interrupted", "llm_usage_info"])
def test_null_in_an_event_means_the_default(name):
    for _ in range(2):
        event = parse_event({"type": "assistant_response", "content": "Hi", name: None})

        assert type(event) is EVENT_TYPES["assistant_response"]
        assert getattr(event, name) == getattr(EVENT_TYPES["assistant_response"](), name)
        assert event.to_wire()[name] is None


def test_event_fields_are_read_only():
    event = parse_event(wire_of("say_static"))

    with pytest.raises(AttributeError, match="origin_node_name"):
        event.origin_node_name = "Till"


def test_stamp_sets_fields_of_one_event():
    first, second = SayStaticEvent(), SayStaticEvent()

    first.stamp(origin_node_name="Till", added=[1])

    assert (first.origin_node_name, second.origin_node_name) == ("Till", None)
    assert first.to_wire()["added"] == [1]
