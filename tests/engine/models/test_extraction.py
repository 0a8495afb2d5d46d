from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.engine.models.extraction import fill_fields, find_values

TEXT, NUMBER, TRUTH = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": []}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("on 2026-03-03", "date", "2026-03-03"),
        ("March 3, 2026", "date", "2026-03-03"),
        ("the 3rd of March 2026", "date", "2026-03-03"),
        ("Sept 9 2026", "date", "2026-09-09"),
        ("\u017fept 9 2026", "date", "2026-09-09"),
        ("3 March", "date", "3 March"),
        ("3.12.1990", "date", "1990-12-03"),
        ("25/12/1990", "date", "1990-12-25"),
        ("12/25/1990", "date", "1990-12-25"),
        ("03/04/1990", "date", "03/04/1990"),
        ("31 February 2026", "date", "31 February 2026"),
        ("2026-13-40", "date", "2026-13-40"),
        ("99/99/1990", "date", "99/99/1990"),
        ("next Tuesday", "date", "next Tuesday"),
        ("tomorrow", "date", "tomorrow"),
        ("at 3 pm", "time", "15:00"),
        ("at 12 a.m.", "time", "00:00"),
        ("at 12:15 PM", "time", "12:15"),
        ("at 9.20 am", "time", "09:20"),
        ("at 14:30", "time", "14:30"),
        ("at 3:30", "time", "3:30"),
        ("three o'clock", "time", "three o'clock"),
        ("noon", "time", "12:00"),
        ("midnight", "time", "00:00"),
        ("in the morning", "time", "morning"),
        ("call 555-0142", "phone", "555-0142"),
        ("555-0142 or later", "phone", "555-0142"),
        ("+1 (202) 555-0142", "phone", "+1 (202) 555-0142"),
        ("write to ann.lee+tea@mail.example.com.", "email", "ann.lee+tea@mail.example.com"),
        ("2 cups", "number", 2),
        ("-5 degrees", "number", -5),
        ("2.5 liters", "number", 2.5),
        ("1,200 dollars", "number", 1200),
        ("twelve cups", "number", 12),
        ("One, please", "number", 1),
        ("I have one", "number", 1),
    ],
)
def test_find_values_finds_each_kind(text, kind, value):
    assert [(found.kind, found.value) for found in find_values(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "that one",
        "the first one",
        "room B12",
        "v1.2.3",
        "the 2nd",
        "may I?",
        "a@b",
        "Marching",
        "9" * 20_000,
    ],
)
def test_find_values_passes_over_other_text(text):
    assert find_values(text) == []


def test_find_values_orders_without_overlaps():
    found = find_values("Two seats on March 3, 2026 at 7:30 pm, call 555-0142")

    assert [(value.kind, value.value) for value in found] == [
        ("number", 2),
        ("date", "2026-03-03"),
        ("time", "19:30"),
        ("phone", "555-0142"),
    ]


@pytest.mark.parametrize(
    ("properties", "message", "fields"),
    [
        ({"cups": NUMBER}, "Two, please", {"cups": 2}),
        ({"cups": NUMBER}, "2.5 cups", {}),
        ({"liters": {"type": "number"}}, "2.5 liters", {"liters": 2.5}),
        ({"cups": {"type": ["null", "integer"]}}, "3", {"cups": 3}),
        ({"cups": NUMBER, "sugars": NUMBER}, "2 cups with 1 sugar", {"cups": 2, "sugars": 1}),
        ({"cups": NUMBER, "sugars": NUMBER}, "2 and 1", {}),
        ({"cups": NUMBER}, "at 3 pm on March 4", {}),
        ({"email": TEXT}, "it is ann@example.com", {"email": "ann@example.com"}),
        ({"contact": {"type": "string", "format": "email"}}, "a@b.example", {"contact": "a@b.example"}),
        ({"callbackNumber": TEXT}, "on 555-0142", {"callbackNumber": "555-0142"}),
        ({"preferred_time": TEXT}, "at 3 pm", {"preferred_time": "15:00"}),
        ({"visit": {"type": "string", "format": "date"}}, "March 3, 2026", {"visit": "2026-03-03"}),
        ({"preferred_day": TEXT}, "tomorrow", {"preferred_day": "tomorrow"}),
        ({"city": TEXT}, "I like tea", {}),
        ({"tea": {"enum": ["Assam", "green tea"]}}, "a green tea", {"tea": "green tea"}),
        ({"tea": {"enum": ["tea", "green tea"]}}, "a green tea", {"tea": "green tea"}),
        ({"tea": {"enum": ["Assam", "green_tea"]}}, "no assam, a green tea", {"tea": "green_tea"}),
        ({"tea": {"enum": ["Assam"]}}, "no assam", {}),
        ({"size": {"type": "integer", "enum": [1, 2]}}, "size two", {"size": 2}),
        ({"size": {"type": "integer", "enum": [1, 2]}}, "size three", {}),
        ({"extras": {"type": "array", "items": {"enum": ["milk", "sugar", "lemon"]}}},
         "lemon and milk, no sugar", {"extras": ["milk", "lemon"]}),
        ({"extras": {"type": "array", "items": TEXT}}, "lemon", {}),
        ({"milk": TRUTH}, "with milk", {"milk": True}),
        ({"wants_milk": TRUTH}, "without milk", {"wants_milk": False}),
        ({"confirmed": TRUTH}, "yes", {"confirmed": True}),
        ({"confirmed": TRUTH}, "no", {"confirmed": False}),
        ({"milk": TRUTH, "sugar": TRUTH}, "yes", {}),
        ({"guest": {"type": "object", "properties": {"age": NUMBER}}}, "I'm 42", {"guest": {"age": 42}}),
        ({"guest": {"type": "object", "properties": {"age": NUMBER}}}, "hello", {}),
        ({"_": TEXT, "odd": True}, "what is this", {}),
    ],
)  # fmt: skip
def test_fill_fields_fills_by_type(properties, message, fields):
    assert fill_fields(schema(**properties), message) == fields


def test_fill_fields_uses_a_value_once():
    assert fill_fields(schema(start_date=TEXT, end_date=TEXT), "start on Monday") == {"start_date": "Monday"}


def test_fill_fields_keeps_the_order_of_the_schema():
    wanted = schema(preferred_day=TEXT, cups=NUMBER, email=TEXT)

    fields = fill_fields(wanted, "a@b.example, 2 cups, on Tuesday")

    assert list(fields) == ["preferred_day", "cups", "email"]


@pytest.mark.parametrize("wanted", [None, {}, {"type": "object"}, {"properties": None}, {"properties": []}])
def test_fill_fields_without_properties_is_empty(wanted):
    assert fill_fields(wanted, "two cups") == {}


def test_fill_fields_of_silence_is_empty():
    assert fill_fields(schema(cups=NUMBER), "  ") == {}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=12), st.sampled_from(["31 Feb 2026", "I'm", "at 3 pm", "no", "two"])))
)
def test_fill_fields_returns_scalars_only(parts):
    wanted = schema(
        cups=NUMBER, full_name=TEXT, birthday=TEXT, reason=TEXT, city=TEXT, email=TEXT, milk=TRUTH
    )

    fields = fill_fields(wanted, " ".join(parts))

    assert set(fields) <= set(wanted["properties"])
    assert all(isinstance(value, str | int) and value != "" for value in fields.values())


@pytest.mark.parametrize(
    "schema", [{"type": "object", "properties": ["size"]}, {"type": "string", "format": ["date"]}]
)
def test_malformed_schema_is_filled_with_nothing(schema):
    assert fill_fields({"properties": {"size": schema}}, "The size is 5 on Monday.") == {}
