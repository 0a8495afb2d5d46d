from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.engine.models.fields import fill_fields

TEXT, NUMBER, TRUTH = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": []}


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
        ({"full_name": TEXT}, "I'm Ada Moreno", {"full_name": "Ada Moreno"}),
        (
            {"first_name": TEXT, "lastName": TEXT},
            "I'm Ada Moreno",
            {"first_name": "Ada", "lastName": "Moreno"},
        ),
        ({"last_name": TEXT}, "I'm Ada", {}),
        ({"company_name": TEXT}, "I'm Ada Moreno", {}),
        ({"company_name": TEXT}, "the company name is Leaf & Co", {"company_name": "Leaf & Co"}),
        ({"visit_reason": TEXT}, "because of my knee", {"visit_reason": "my knee"}),
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
        ({"urgent": {"type": "boolean", "description": "True when there is chest pain or a fire"}},
         "I have chest pain", {"urgent": True}),
        ({"urgent": {"type": "boolean", "description": "True when there is chest pain or a fire"}},
         "no chest pain", {}),
        ({"guest": {"type": "object", "properties": {"name": TEXT}}}, "I'm Ada", {"guest": {"name": "Ada"}}),
        ({"guest": {"type": "object", "properties": {"name": TEXT}}}, "hello", {}),
        ({"_": TEXT, "odd": True}, "what is this", {}),
    ],
)  # fmt: skip
def test_a_property_is_filled_with_what_was_said_and_with_nothing_else(properties, message, fields):
    assert fill_fields(schema(**properties), message) == fields


def test_a_date_of_birth_and_a_preferred_day_find_their_own_date():
    wanted = schema(preferred_day=TEXT, date_of_birth=TEXT)

    both = fill_fields(wanted, "March 3, 2027 would be fine, and I was born on 4 May 1990.")
    birth = fill_fields(wanted, "Ada, 4 May 1990")
    day = fill_fields(wanted, "please book me for March 3, 2027")

    assert both == {"preferred_day": "2027-03-03", "date_of_birth": "1990-05-04"}
    assert birth == {"date_of_birth": "1990-05-04"}
    assert day == {"preferred_day": "2027-03-03"}


def test_a_birthday_is_not_taken_for_a_preferred_day():
    assert fill_fields(schema(preferred_day=TEXT), "I was born on 4 May 1990") == {}


def test_one_value_goes_to_one_property_only():
    assert fill_fields(schema(start_date=TEXT, end_date=TEXT), "start on Monday") == {"start_date": "Monday"}


def test_fields_come_in_the_order_of_the_schema():
    wanted = schema(preferred_day=TEXT, full_name=TEXT, date_of_birth=TEXT)

    fields = fill_fields(wanted, "Ada Moreno, born 4 May 1990, on Tuesday")

    assert list(fields) == ["preferred_day", "full_name", "date_of_birth"]


@pytest.mark.parametrize("wanted", [None, {}, {"type": "object"}, {"properties": None}, {"properties": []}])
def test_a_schema_without_properties_gives_nothing(wanted):
    assert fill_fields(wanted, "two cups") == {}


def test_silence_fills_nothing():
    assert fill_fields(schema(cups=NUMBER), "  ") == {}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=12), st.sampled_from(["31 Feb 2026", "I'm", "at 3 pm", "no", "two"])))
)
def test_whatever_is_said_only_texts_numbers_and_truths_are_filled_in(parts):
    wanted = schema(
        cups=NUMBER, full_name=TEXT, birthday=TEXT, reason=TEXT, city=TEXT, email=TEXT, milk=TRUTH
    )

    fields = fill_fields(wanted, " ".join(parts))

    assert set(fields) <= set(wanted["properties"])
    assert all(isinstance(value, str | int) and value != "" for value in fields.values())
