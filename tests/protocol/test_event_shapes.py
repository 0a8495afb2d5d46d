from __future__ import annotations

import pytest

from debugger.protocol.event_shapes import Shapes
from debugger.protocol.events import EVENT_TYPES, Event, SayStaticEvent, parse_event


def wire_of(event_type, **fields):
    """The object of an event as the engine makes it."""
    cls = EVENT_TYPES[event_type]
    needed = {name: "x" for name, field in cls.model_fields.items() if field.is_required()}
    return dict(cls(**{**needed, "logical_id": "event_1", "timestamp": 5.5, **fields}).to_wire())


def state(event):
    """All that makes an event what it is."""
    extra, names = event.__pydantic_extra__, event.__pydantic_fields_set__
    return type(event), list(vars(event).items()), extra, names, event.__pydantic_private__


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_event_of_a_shape_that_was_met_is_what_pydantic_makes_of_it(event_type):
    shapes, cls, wire = Shapes(), EVENT_TYPES[event_type], wire_of(event_type, comments=["well"])
    shapes.read(cls, wire_of(event_type))

    event = shapes.read(cls, wire)

    assert state(event) == state(cls.model_validate(wire))
    assert event.to_wire() is wire


@pytest.mark.parametrize(
    "wire",
    [
        {"type": "say_static", "logical_id": "event_1"},
        {**wire_of("say_static"), "from_next_year": [1]},
        dict(reversed(wire_of("say_static").items())),
        wire_of("say_static", timestamp=5),
        wire_of("say_static", interrupted=1),
    ],
    ids=["fields are missing", "a key more", "another order", "a whole number", "a number for a truth"],
)
def test_what_pydantic_would_change_is_left_to_it_each_time(wire):
    shapes = Shapes()
    shapes.read(SayStaticEvent, wire)

    event = shapes.read(SayStaticEvent, wire)

    assert state(event) == state(SayStaticEvent.model_validate(wire))


@pytest.mark.parametrize(
    ("event_type", "field", "good", "bad"),
    [
        ("self_loop_exhausted", "outcome", "max_retries", "nope"),
        ("workflow_ready_for_input", "active_companion_thread_ids", ["lab"], [7]),
        ("user_messages", "messages", [{"content": "Hi"}], ["Hi"]),
    ],
)
def test_a_field_that_is_more_than_its_type_is_looked_at_each_time(event_type, field, good, bad):
    for _ in range(2):
        assert type(parse_event(wire_of(event_type, **{field: good}))) is EVENT_TYPES[event_type]

    event = parse_event(wire_of(event_type, **{field: bad}))

    assert type(event) is Event
    assert event.to_wire()[field] == bad


def test_a_field_that_is_set_on_one_event_changes_nothing_elsewhere():
    wire = wire_of("say_static")
    first, second, third = (parse_event(wire) for _ in range(3))

    third.origin_node_name = "Till"

    assert (first.origin_node_name, second.origin_node_name) == (None, None)
    assert wire["origin_node_name"] is None
    assert third.__pydantic_fields_set__ == second.__pydantic_fields_set__ == set(wire)
