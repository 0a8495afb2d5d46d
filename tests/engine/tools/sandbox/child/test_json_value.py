from __future__ import annotations

import enum
from collections import OrderedDict, namedtuple
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from debugger.engine.tools.sandbox.child.json_value import NotJsonError, to_json


class Colour(str, enum.Enum):  # noqa: UP042 - prints as Colour.RED, which is the point
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -(2**63), 2**64 - 1, 1.5, "", "Grüße 🙂", [], {}, {"a": [1, {"b": None}]}],
)
def test_a_json_value_stays_what_it_is(value: Any) -> None:
    assert to_json(value) == value
    assert type(to_json(value)) is type(value)


def test_tuples_become_lists_and_subclasses_become_plain() -> None:
    value = {"point": Point(1, 2), "colour": Colour.RED, "level": Level.HIGH, "more": OrderedDict(a=1)}

    plain = to_json(value)

    assert plain == {"point": [1, 2], "colour": "red", "level": 3, "more": {"a": 1}}
    assert [type(item) for item in plain.values()] == [list, str, int, dict]


def test_whole_numbers_as_keys_become_text() -> None:
    assert to_json({1: "one", "two": 2}) == {"1": "one", "two": 2}


def test_duplicate_key_is_rejected() -> None:
    with pytest.raises(NotJsonError, match=r"result\['a'\] has the key '1' twice"):
        to_json({"a": {1: "number", "1": "text"}})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, "result is of type set, which JSON has no form for"),
        ({"rows": [{"day": date(2025, 1, 1)}]}, r"result\['rows'\]\[0\]\['day'\] is of type date"),
        ([b"bytes"], r"result\[0\] is of type bytes"),
        (Decimal("1.0"), "result is of type Decimal"),
        ((item for item in "ab"), "result is of type generator"),
        ({"a": float("nan")}, r"result\['a'\] is nan"),
        ([float("-inf")], r"result\[0\] is -inf"),
        ([2**64], r"result\[0\] is a number of more than 64 bits"),
        ({2**64: 1}, "a key of result is a number of more than 64 bits"),
        ({(1, 2): 1}, "result has a key of type tuple"),
        ({True: 1}, "result has a key of type bool"),
        ("half \ud83d", r"result is text with half of a surrogate pair, '\\ud83d'"),
        ({"\udc00": 1}, "a key of result is text with half of a surrogate pair"),
    ],
)
def test_non_json_value_is_named_with_place(value: Any, message: str) -> None:
    with pytest.raises(NotJsonError, match=message):
        to_json(value)


def test_a_list_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)

    with pytest.raises(NotJsonError, match="more than 100 deep, or holds itself"):
        to_json(value)
