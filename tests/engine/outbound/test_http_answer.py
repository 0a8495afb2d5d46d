from __future__ import annotations

import re

import pytest

from debugger.engine.outbound import RecordedAnswer
from debugger.engine.outbound.http_answer import HttpAnswer, simulated_answer


def json_answer(text):
    return HttpAnswer(200, "application/json", text.encode())


def nested(levels):
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(("text", "value"), [("", None), (" \n", None), ("\ufeff[1]", [1]), ("null", None)])
def test_a_body_is_read_as_json_and_a_blank_one_is_nothing(text, value):
    assert json_answer(text).json() == value


def test_a_body_of_too_many_levels_is_refused():
    deepest = json_answer(nested(101)).json()

    assert deepest == json_answer(nested(101)).json() != []
    for levels in (102, 900, 100_000):
        with pytest.raises(ValueError, match="it is nested deeper than 100 levels"):
            json_answer(nested(levels)).json()


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "no-such-set", "utf-8\r\nX: y", ""])
def test_text_is_never_refused(charset):
    answer = HttpAnswer(200, f"text/plain; charset={charset}", b"tea \xff")

    assert answer.text.startswith("tea ")


@pytest.mark.parametrize(("code", "told"), [(404, "404 Not Found"), (299, "299"), (799, "799")])
def test_a_status_is_told_with_its_words_where_it_has_any(code, told):
    assert HttpAnswer(code).status == told


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (200, "", b"")),
        ({"status": 404}, (404, "", b"")),
        ({"body": {"a": 1}}, (200, "application/json", b'{"a":1}')),
        ({"body": False}, (200, "application/json", b"false")),
        ({"status": 201, "body": "Grüße"}, (201, "text/plain; charset=utf-8", "Grüße".encode())),
    ],
)
def test_a_recorded_answer_becomes_a_real_one(fields, expected):
    answer = simulated_answer(RecordedAnswer(re.compile("."), **fields))

    assert (answer.status_code, answer.content_type, answer.body) == expected


def test_a_made_up_answer_says_so():
    assert simulated_answer(None).json() == {"simulated": True}
