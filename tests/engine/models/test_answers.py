from __future__ import annotations

import pytest

from debugger.engine.models.script import read_answers, read_tool_answers
from debugger.engine.models.yaml_lines import read_yaml
from debugger.errors import InputError

SECTION = r"""
- to: POST https://api\.example/slots
  status: 201
  body: {booked: true, at: [9, 10]}
- to: put
  error: The service is down.
- to: GET
  body: plain text
"""


def test_answers_are_read_in_order():
    booked, down, text = read_answers(read_yaml(SECTION))

    assert booked.target.search("POST https://api.example/slots?day=1")
    assert not booked.target.search("POST https://apixexample/slots")
    assert (booked.status, booked.body, booked.error) == (201, {"booked": True, "at": [9, 10]}, None)
    assert down.target.search("PUT https://x/")
    assert (down.status, down.body, down.error) == (None, None, "The service is down.")
    assert (text.status, text.body) == (None, "plain text")


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ("to: x", "line 1: answers must be a list"),
        ("- to: x\n- body: 1", "line 2: answer 2 does not say which calls it is for. Add 'to'"),
        (
            "- to: x\n  url: y",
            "line 2: answer 1 has the unknown key 'url'. It takes to, status, body, error.",
        ),
        ("- to: '['", "line 1: '[' is no regular expression"),
        ("- to: x\n  status: ok", "line 2: status must be a whole number from 100 to 599"),
        ("- to: x\n  status: 99", "line 2: status must be a whole number from 100 to 599"),
        ("- to: x\n  status: true", "line 2: status must be a whole number from 100 to 599"),
        ("- to: x\n  error: ''", "line 2: error must say why no answer came"),
        ("- to: x\n  status: 200\n  error: down", "line 3: answer 1 has an error besides a status or a body"),
    ],
)
def test_error_names_its_line(section, complaint):
    with pytest.raises(InputError) as caught:
        read_answers(read_yaml(section))

    assert complaint in str(caught.value)


TOOLS = r"""
book:
  - with: {slot.day: sun, cups: 2}
    error: We are closed.
  - result: {day: "[[slot.day]]", cups: "[[cups]]", text: "on [[slot.day]]"}
list:
  - result: []
"""


def test_tool_answers_are_read_in_order():
    closed, booked, listed = read_tool_answers(read_yaml(TOOLS))

    assert closed.fits("book", {"slot": {"day": "On Sunday"}, "cups": 2})
    assert not closed.fits("book", {"slot": {"day": "On Sunday"}, "cups": 3})
    assert not closed.fits("list", {"slot": {"day": "On Sunday"}, "cups": 2})
    assert (closed.error, booked.conditions, listed.tool) == ("We are closed.", (), "list")
    assert booked.to_result({"slot": {"day": "Friday"}, "cups": 3}) == {
        "day": "Friday",
        "cups": 3,
        "text": "on Friday",
    }


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ("- book", "line 1: tools must be a mapping"),
        ("book: {result: 1}", "line 1: the answers of 'book' must be a list"),
        ("book:\n- with: {a: 1}", "line 2: answer 1 of 'book' needs either a result or an error"),
        ("book:\n- {result: 1, error: x}", "line 2: answer 1 of 'book' needs either a result or an error"),
        ("book:\n- {results: 1}", "answer 1 of 'book' has the unknown key 'results'"),
        ("book:\n- {result: 1, with: {'a..b': 1}}", "line 2: 'a..b' is not a path"),
        ("book:\n- {result: 1, with: {'a[].b': 1}}", "line 2: 'a[].b' leads to many places"),
        ("book:\n- {result: 1, with: {a: '['}}", "line 2: '[' is no regular expression"),
    ],
)
def test_malformed_tool_answer_names_its_line(section, complaint):
    with pytest.raises(InputError) as caught:
        read_tool_answers(read_yaml(section))

    assert complaint in str(caught.value)
