"""The one place through which values leave the process."""

from __future__ import annotations

import json
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from debugger.boundary import SECRETS_ONLY, Boundary, Kind, MaskingOptions, boundary, release_line
from debugger.boundary.kinds import FIELDS, FREE_FIELDS, PLAIN
from debugger.engine.outbound.known_secrets import KNOWN_SECRETS, KnownSecrets
from debugger.protocol.events import EVENT_TYPES

NAMES = st.sampled_from(
    [
        "text",
        "phone",
        "date_of_birth",
        "password",
        "headers",
        "secret_variables",
        "Authorization",
        "type",
        "timestamp",
        "code",
        "a@b.de",
        "c@d.de",
        "my.code",
        "hello there",
    ]
)
TEXTS = st.sampled_from(
    ["hello", "", "mail me: a@b.de", "+49 171 1234567", "4111 1111 1111 1111", "https://me:pw@x.de/?token=a"]
)
NUMBERS = st.sampled_from([0, 0.0, 1.5, 4111111111111111, -3, True, None])
VALUES = st.recursive(
    TEXTS | NUMBERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)


OPTIONS = MaskingOptions(variables=("code",))
IN_ORDER = [kind for kind in Kind if kind in PLAIN]
"""The same in each process that collects tests."""


@given(values=st.lists(VALUES, max_size=4), code=st.sampled_from(["", "hello", 1.5, 0.0]))
@pytest.mark.parametrize("kind", [Kind.VALUE, Kind.RECORD])
def test_what_was_seen_before_changes_nothing(kind, values, code):
    one = Boundary(OPTIONS)
    one.register("code", code)

    with patch.object(KNOWN_SECRETS, "add"):  # a thread may still run that another test began
        for value in values:
            fresh = Boundary(OPTIONS)
            fresh.register("code", code)
            assert one.release(kind, value) == fresh.release(kind, value)


def test_clean_value_is_not_copied():
    value = {"a": [{"b": "hello"}], "c": 1, "message": {"content": "Hi", "id": "m_1"}}

    assert Boundary().release(Kind.RECORD, value) is value
    assert Boundary().release(Kind.VALUE, value) is value


def test_secrets_are_removed_without_rules():
    boundary = Boundary(SECRETS_ONLY)

    assert boundary.release(Kind.RECORD, {"password": "hush", "phone": "+49 171 1234567"}) == {
        "password": "***",
        "phone": "+49 171 1234567",
    }


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.ID, "4111111111111111"),
        (Kind.TIME, 4111111111111111),
        (Kind.TIME, "2026-11-28T10:00:00.123456Z"),
        (Kind.NUMBER, 4111111111111111),
        (Kind.NAME, "Call +49 171 1234567 > 4111 1111 1111 1111"),
        (Kind.FLAG, "waiting_for_user_input"),
    ],
)
def test_kind_without_rules_is_released_as_it_is(kind, value):
    assert Boundary().release(kind, value) == value
    assert Boundary().release(Kind.RECORD, {"timestamp": 4111111111111111, "logical_id": "4111111111111111"})


SECRET = "hunter2sesame9"


@pytest.fixture
def known(monkeypatch):
    """The secrets of a process that knows none yet."""
    found = KnownSecrets()
    monkeypatch.setattr(boundary, "KNOWN_SECRETS", found)
    return found


@pytest.mark.parametrize("kind", [*IN_ORDER, Kind.ADDRESS, Kind.TEXT, Kind.VALUE, Kind.RECORD, Kind.DOCUMENT])
def test_secret_is_masked_in_each_kind(kind, known):
    known.add([SECRET])
    one = Boundary(SECRETS_ONLY)

    row = [f"a {SECRET} b"]
    one.row_releaser({0: kind})(row)
    assert row == [one.release(kind, f"a {SECRET} b")] == ["a *** b"]


@pytest.mark.parametrize("kind", [*IN_ORDER, Kind.TEXT, Kind.VALUE, Kind.RECORD])
def test_secret_that_comes_late_is_masked(kind, known):
    one, texts = Boundary(), [f"a {SECRET} b", {SECRET: 1, "headers": {SECRET: "x"}}]
    release = one.row_releaser({0: kind, 1: kind})
    row, before = [*texts], [[one.release(kind, text), release_line(str(text))] for text in texts]
    release(row)

    known.add([SECRET])

    assert SECRET in str(before)
    assert SECRET in str(row)
    row = [*texts]
    release(row)
    assert SECRET not in str(row)
    for text in texts:
        assert SECRET not in str([one.release(kind, text), release_line(str(text))])


@pytest.mark.parametrize("options", [SECRETS_ONLY, MaskingOptions()])
def test_secret_is_masked_as_a_key(options, known):
    known.add([SECRET])
    value = {SECRET: 1, "headers": {SECRET: "x"}, "list": [{SECRET: [{SECRET: 2}]}]}

    for kind in (Kind.VALUE, Kind.RECORD, Kind.DOCUMENT):
        assert SECRET not in str(Boundary(options).release(kind, value))


def test_secret_in_an_own_name_is_masked(known):
    known.add(["555-123-4567"])
    one = Boundary()
    one.begin_run(["Line 555-123-4567"])

    assert one.release(Kind.VALUE, {"Line 555-123-4567": "Line 555-123-4567"}) == {"Line ***": "Line ***"}


def test_number_of_a_value_is_no_card():
    boundary = Boundary()

    assert boundary.release(Kind.VALUE, {"at": 4111111111111111}) == {"at": 4111111111111111}
    assert boundary.release(Kind.VALUE, {"card_number": 4111111111111111}) == {"card_number": "[card]"}


def test_truth_value_of_a_listed_variable_is_masked():
    one = Boundary(MaskingOptions(variables=("pregnant",)))

    assert one.release(Kind.VALUE, True, "pregnant") == "[hidden]"
    assert one.release(Kind.VALUE, {"pregnant": [False, {"since": None}], "phone": True}) == {
        "pregnant": ["[hidden]", {"since": None}],
        "phone": True,
    }
    assert one.release(Kind.DOCUMENT, {"properties": {"pregnant": True}}) == {
        "properties": {"pregnant": True}
    }


def test_text_in_the_field_of_a_time_is_masked():
    """Believe no server that writes a text where a time belongs."""
    found = Boundary().release(Kind.RECORD, {"timestamp": "call +49 171 1234567", "status": "a@b.de"})

    assert found == {"timestamp": "call [phone]", "status": "[e-mail]"}
    for kind in (Kind.TIME, Kind.NUMBER, Kind.FLAG):
        assert Boundary().release(kind, "+49 171 1234567") == "[phone]"


TIMES = """
2026-11-28 2026-11-28T10:00:00Z 2026-11-28T10:00:00.123456+00:00 1785200000000 1785200000.25 -3 workflow_error
"""


@pytest.mark.parametrize("text", [*TIMES.split(), "2026-11-28 10:00:00+0000", "2026-11-28 10:00", ""])
def test_text_of_a_time_is_kept(text):
    for kind in (Kind.TIME, Kind.NUMBER, Kind.FLAG):
        assert Boundary().release(kind, text) == text


def test_own_name_is_kept_in_texts():
    boundary = Boundary()
    boundary.begin_run(["Line 555-123-4567", "desk"])

    assert boundary.release(Kind.TEXT, "Line 555-123-4567 starts for 555-123-4567") == (
        "Line 555-123-4567 starts for [phone]"
    )
    assert boundary.release(Kind.VALUE, {"Line 555-123-4567.x": "Line 555-123-4567"}) == {
        "Line 555-123-4567.x": "Line 555-123-4567"
    }
    assert boundary.release(Kind.DOCUMENT, {"name": "Line 555-123-4567"}) == {"name": "Line 555-123-4567"}
    boundary.begin_run()
    assert boundary.release(Kind.TEXT, "Line 555-123-4567 starts") == "Line [phone] starts"


def test_reason_of_an_edge_is_kept_but_for_data():
    reason = "Condition expression '+49 171 1234567 == caller and 3 > 2' came true while Desk waited"

    found = Boundary().release(Kind.RECORD, {"type": "conditional_edge", "reason": reason})

    assert found["reason"] == reason.replace("+49 171 1234567", "[phone]")


def test_each_field_of_an_event_has_a_kind():
    fields = {name for cls in EVENT_TYPES.values() for name in cls.declared_fields}

    assert fields - set(FIELDS) - FREE_FIELDS == set()
    assert fields >= FREE_FIELDS
    assert not FREE_FIELDS & set(FIELDS)


PARTS = st.sampled_from(
    """
    12345|1|90|1990|555|(12345)|+49|4111|4111111111111111|5105105105105100|078-05-1120|AB|C|March|jan|my|
    born|DOB|Geburtsdatum|a.b|x.de|@|tea|Password|api key|is|hunter2!|sk-|hf_|eyJ|AKIA|AIza|Bearer |secret=|
    Abcdef12345678|abcdEFGH1234abcdEFGH1234abcdEFGH1234|-----BEGIN RSA PRIVATE KEY-----|-----END |é|ſecret|
    ABCDEFGHIJKLMNOP|[phone]|[e-mail]|[|]|***|*|Ada|ADA|1990-03-03|3/3/90|https://me:pw@x.de/?token=a|://|?|&|=
    |'|"|;|:|, |.|-|_|/|(|)|+
    """.replace("\n    ", "").split("|")
)
BLANKS = st.sampled_from(["|", " ", "  ", "\n", "\t"])
TEXT = st.lists(PARTS | BLANKS, max_size=14).map("".join) | st.text("09aAzé@.-+/: ()[]*'_=", max_size=60)


@given(text=TEXT, kind=st.sampled_from([Kind.TEXT, Kind.NAME, Kind.ADDRESS]))
def test_masking_twice_changes_nothing_more(text, kind):
    boundary = Boundary(OPTIONS)
    boundary.begin_run(["Line 555-123-4567"])
    boundary.register("code", ["Ada", "1990"])

    once = boundary.release(kind, text)
    counts = dict(boundary.counts)

    assert boundary.release(kind, once) == once
    assert dict(boundary.counts) == counts


@example(value={"password": {"text": "hello", "code": True}}, kind=Kind.VALUE)
@given(value=VALUES, kind=st.sampled_from([Kind.VALUE, Kind.RECORD, Kind.DOCUMENT]))
def test_masking_a_value_twice_changes_nothing_more(value, kind):
    once = Boundary(OPTIONS).release(kind, value)

    assert Boundary(OPTIONS).release(kind, json.loads(json.dumps(once))) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("said 'the first of man…'; event 3", "said '[hidden]…'; event 3"),
        ("the first of many words … and on", "[hidden]… and on"),
        ("the first of all…", "the first of all…"),
        ('{"a": "He said \\"no\\"\\nand left"}', '{"a": "[hidden]"}'),
        ('He said "no" and left', "[hidden]"),
        ("'He said \"no\"\\nand left'", "'[hidden]'"),
        ('He said "no"\\n…', "[hidden]…"),
    ],
)
def test_cut_and_quoted_values_are_masked(text, shown):
    boundary = Boundary(OPTIONS)
    boundary.register("code", ["the first of many words that are cut", 'He said "no"\nand left'])

    assert boundary.release(Kind.TEXT, text) == shown


def test_ids_that_our_engine_writes_are_kept():
    node = "4111111111111111"
    event = {
        "trouble": {"kind": "model", "node": node, "faulted": True},
        "super_node_origin": [node],
        "answered_by": ["fault"],
        "intervened": ["fault1"],
    }

    assert Boundary().release(Kind.RECORD, event) == event
