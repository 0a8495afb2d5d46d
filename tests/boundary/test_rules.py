from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.boundary import RULES, Boundary, Kind, MaskingOptions, rules
from debugger.errors import InputError


@pytest.mark.parametrize(
    ("text", "masked", "rule"),
    [
        ("call +1 (555) 123-4567 now", "call [phone] now", "phone"),
        ("or 555-123-4567.", "or [phone].", "phone"),
        ("0049 171 1234567", "[phone]", "phone"),
        ("555-0142", "[phone]", "phone"),
        ("on 2026-11-28 555-123-4567", "on 2026-11-28 [phone]", "phone"),
        ("write a.b+c@ex-ample.co.uk.", "write [e-mail].", "email"),
        ("4111 1111 1111 1111", "[card]", "card"),
        ("078-05-1120", "[id]", "national_id"),
        ("2345 6789 0123", "[id]", "national_id"),
        ("4111 1111 1111 1111 5", "[card] 5", "card"),
        ("room 1204 4111 1111 1111 1111", "room 1204 [card]", "card"),
        ("paid by 378282246310005.", "paid by [card].", "card"),
        ("AB 12 34 56 C", "[id]", "national_id"),
        ("I was born on March 3, 1990.", "I was born on [birth date].", "birth_date"),
        ("DOB: 03/03/1990", "DOB: [birth date]", "birth_date"),
        ("born on 3/3/90", "born on [birth date]", "birth_date"),
        ("date_of_birth=1990-03-03", "date_of_birth=[birth date]", "birth_date"),
        ("key sk-abcdEFGH12345678 ok", "key [key] ok", "key"),
        (f"key sk-{'a' * 70}-1 ok", "key [key] ok", "key"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [key]", "key"),
        ("the password is hunter2!", "the password is [key]", "key"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.abc", "[key]", "key"),
    ],
)
def test_rule_masks_what_it_names(text, masked, rule):
    boundary = Boundary(MaskingOptions())

    assert boundary.release(Kind.TEXT, text) == masked
    assert dict(boundary.counts) == {rule: 1}
    assert Boundary(MaskingOptions(frozenset(RULES) - {rule})).release(Kind.TEXT, text) != masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28",
        "at 10:30 on 2026-11-28T10:00:00.123456Z",
        "order 12345",
        "room 12 34",
        "version 1.2.3 at 192.168.1.100",
        "$1,234,567.00",
        "9 am to 6 pm, 8 to 12, 10/11/2026",
        "1 2 3 4 5 6 7",
        "4111 1111 1111 1112",
        "7992739871300000002",
        "1785200000123 or 1785200000",
        "2026-11-28 10:30, 2026-11-28 2026-11-30",
        "EUR 1.234.567",
        "npm-run-build-production, pk_customer_identifier",
        "0f3a9c5d7e1b2f4a6c8d0e2f4a6b8c0d0f3a9c5d7e1b2f4a6c8d0e2f4a6b8c0d",
        "event_403e98a0-4194-43d3-9a0e-000000000006",
        "Destination_Node__node_booking_intake",
        "The next token of the task is here",
    ],
)
def test_harmless_text_is_left_alone(text):
    assert Boundary(MaskingOptions()).release(Kind.TEXT, text) == text


def test_unknown_rule_is_refused():
    with pytest.raises(InputError, match="There is no masking rule 'shoe'"):
        MaskingOptions(frozenset({"email", "shoe"}))


def test_card_has_a_check_digit():
    boundary = Boundary(MaskingOptions(frozenset({"card"})))

    assert boundary.release(Kind.TEXT, "4111 1111 1111 1112") == "4111 1111 1111 1112"


def test_listed_variable_is_masked_wherever_it_is():
    boundary = Boundary(MaskingOptions(variables=("patient code",)))

    boundary.register("runtime.patientCode", {"inner": "ZEBRA-77", "number": 31337})

    assert boundary.release(Kind.TEXT, "It is ZEBRA-77, not ZEBRA-777.") == "It is [hidden], not ZEBRA-777."
    assert boundary.release(Kind.VALUE, {"patient_code": "x", "other": ["ZEBRA-77", 31337]}) == {
        "patient_code": "[hidden]",
        "other": ["[hidden]", "[hidden]"],
    }
    boundary.begin_run()
    assert boundary.release(Kind.TEXT, "ZEBRA-77") == "ZEBRA-77"


def test_fields_are_masked_by_their_names():
    value = {"phone_number": 5551234567, "dateOfBirth": "1990-03-03", "timestamp": 1785200000.1, "count": 7}

    assert Boundary(MaskingOptions()).release(Kind.VALUE, value) == {
        "phone_number": "[phone]",
        "dateOfBirth": "[birth date]",
        "timestamp": 1785200000.1,
        "count": 7,
    }


def test_value_is_masked_with_its_parts():
    boundary = Boundary(MaskingOptions(variables=("customer",)))

    found = boundary.release(Kind.VALUE, {"customer": {"age": 42, "type": "B"}, "dob": {"day": 3}, "age": 42})

    assert found == {
        "customer": {"age": "[hidden]", "type": "[hidden]"},
        "dob": {"day": "[birth date]"},
        "age": 42,
    }


def test_schema_of_a_field_is_kept():
    schema = {"properties": {"email": {"type": "string", "minLength": 3}}}

    assert Boundary(MaskingOptions()).release(Kind.DOCUMENT, schema) == schema


def test_keys_that_are_values_are_masked():
    value = {"seen": {"a@b.de": 1, "c@d.de": 2}, "node_price.price": 3}

    assert Boundary(MaskingOptions()).release(Kind.VALUE, value) == {
        "seen": {"[e-mail]": 1, "[e-mail]'": 2},
        "node_price.price": 3,
    }


def test_no_rule_masks_nothing():
    boundary = Boundary(MaskingOptions(frozenset(), ("name",)))
    boundary.register("name", "Ada")

    assert boundary.options.is_off
    assert boundary.release(Kind.TEXT, "Ada, a@b.de") == "Ada, a@b.de"
    assert boundary.release(Kind.VALUE, {"email": "a@b.de"}) == {"email": "a@b.de"}


PARTS = st.sampled_from(
    [
        *(
            "12345",
            "1",
            "90",
            "1990",
            "555",
            "(12345)",
            "+49",
            "4111",
            "078-05-1120",
            "AB",
            "C",
            "March",
            "my",
        ),
        *(
            " ",
            "  ",
            "-",
            ".",
            "/",
            ", ",
            ": ",
            "_",
            "@",
            "born",
            "DOB",
            "Geburtsdatum",
            "a.b",
            "x.de",
            "tea",
        ),
        *(
            "Password",
            "api key",
            " is ",
            "hunter2!",
            "sk-",
            "hf_",
            "eyJ",
            "AKIA",
            "AIza",
            "Bearer ",
            "Abcdef12345678",
        ),
        *("-----BEGIN RSA PRIVATE KEY-----", "ABCDEFGHIJKLMNOP", "ſecret", "é"),
    ]
)


@given(parts=st.lists(PARTS, max_size=8))
def test_hints_hide_nothing_from_the_patterns(parts):
    text = "".join(parts)
    hinted = Boundary(MaskingOptions()).release(Kind.TEXT, text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "has_any", lambda words, text: True)
        patch.setattr(rules, "has_digits", lambda text: True)
        patch.setattr(rules, "_LONG_WORD", rules.compiled(""))
        assert hinted == Boundary(MaskingOptions()).release(Kind.TEXT, text)


@pytest.mark.parametrize("text", ["1" * 50_000, "a-" * 50_000, "@" * 50_000, "1 " * 50_000, "x@y." * 20_000])
def test_masking_takes_little_time(text):
    Boundary(MaskingOptions()).release(Kind.TEXT, text)


def test_listed_variable_is_masked_in_any_case():
    boundary = Boundary(MaskingOptions(variables=("name",)))
    boundary.register("name", "Ada Moreno")

    assert boundary.release(Kind.TEXT, "ada moreno, ADA MORENO") == "[hidden], [hidden]"
