from __future__ import annotations

import base64
import json

import pytest

from debugger.engine.outbound import MaskedValue, Secrets
from debugger.engine.outbound.secrets import RequestBudget
from debugger.expressions import Scope

KEY = Secrets({"API_KEY": "s3cret/1"})


def test_secret_is_sent_and_mark_is_shown():
    filled = KEY.fill("Bearer {{API_KEY}} for [[who]]", Scope(runtime={"who": "Ann"}), RequestBudget([]))

    assert (filled.real, filled.masked) == ("Bearer s3cret/1 for Ann", "Bearer *** for Ann")
    assert filled.holds_secret


def test_dynamic_variable_wins_over_secret():
    filled = KEY.fill("{{API_KEY}}", Scope(dynamic={"API_KEY": "mine"}), RequestBudget([]))

    assert (filled.real, filled.masked, filled.holds_secret) == ("mine", "mine", False)


def test_value_like_placeholder_stays_unchanged():
    filled = KEY.fill(
        "[[said]] {{said}}", Scope({"said": "{{API_KEY}}"}, {"said": "{{API_KEY}}"}), RequestBudget([])
    )

    assert filled.real == "{{API_KEY}} {{API_KEY}}"


def test_filter_sees_secret_and_shows_mark():
    filled = KEY.fill("{{ API_KEY | upcase }}", Scope(), RequestBudget([]))

    assert (filled.real, filled.masked) == ("S3CRET/1", "***")


def test_what_nothing_fills_is_told():
    assert KEY.fill("{{API_KEY}} {{other}} [[x]]", Scope(), RequestBudget([])).unresolved == (
        "{{other}}",
        "[[x]]",
    )
    assert KEY.fill_value({"a": ["{{other}}"]}, Scope(), RequestBudget([])).unresolved == ("{{other}}",)


def test_json_value_is_filled_at_any_depth():
    filled = KEY.fill_value({"a": [{"b": "{{API_KEY}}"}, 1, None]}, Scope(), RequestBudget([]))

    assert filled.real == {"a": [{"b": "s3cret/1"}, 1, None]}
    assert filled.masked == {"a": [{"b": "***"}, 1, None]}


@pytest.mark.parametrize(
    "text",
    ["s3cret/1", "s3cret%2F1", '{"k": "s3cret/1"}', "s3cret/1s3cret/1"],
    ids=["plain", "url", "json", "twice"],
)
def test_secret_value_is_masked_from_any_source(text):
    masked = KEY.mask(text)

    assert "s3cret" not in masked
    assert "***" in masked
    assert KEY.mask_bytes(text.encode()).decode() == masked


@pytest.mark.parametrize(
    "value", ["pa'ss\"word-77", "pa'ss-word-77", "pass\u00a0word\\77", "\u202epass'word-77"]
)
@pytest.mark.parametrize("around", ["%s", "it's %s", 'it is "%s"', 'it\'s "%s"'])
def test_secret_is_masked_in_python_quotes(value, around):
    masked = Secrets({"KEY": value}).mask(f"phone_number is {around % value!r}.")

    assert "***" in masked
    assert not any(part in masked for part in ("pa", "ss", "word", "77"))


def test_quoted_secret_is_masked_in_json():
    secrets = Secrets({"KEY": 'a"b\nc'})

    assert secrets.mask(r'{"k": "a\"b\nc"}') == '{"k": "***"}'


def test_numeric_secret_is_masked_in_json():
    secrets = Secrets({"PIN": "4711"})

    assert secrets.mask_value({"pin": 4711, "4711": [True, 47.11, "x4711"]}) == {
        "pin": "***",
        "***": [True, 47.11, "x***"],
    }


def test_secret_within_another_leaves_no_rest():
    secrets = Secrets({"A": "abc", "B": "abcdef"})

    assert secrets.mask("abcdef abc") == "*** ***"


def test_a_blank_secret_is_none():
    secrets = Secrets({"EMPTY": " "})

    assert secrets.get("EMPTY") is None
    assert secrets.mask("a b") == "a b"


def test_no_repr_tells_a_secret():
    veiled = KEY.get("API_KEY")

    assert veiled.real == "s3cret/1"
    assert "s3cret" not in repr(KEY) + repr(veiled) + repr(MaskedValue("s3cret", "***"))


def test_user_and_password_are_masked_in_base64():
    secrets = Secrets({"PAIR": "ann:pa55word!"})

    filled = secrets.fill("Basic {{ PAIR | base64_encode }}", Scope(), RequestBudget([]))

    assert filled.real == "Basic YW5uOnBhNTV3b3JkIQ=="
    assert filled.masked == "Basic Kioq"
    assert secrets.mask(f"got {filled.real}") == "got Basic ***=="


ODD = ['pä"ss12\\x', "ünï12 34/5", "hunter2sesame9", "a/b+c?d=12", "line\nline12", "half \ud800 12"]


@pytest.mark.parametrize("value", ODD)
def test_secret_in_json_is_masked(value):
    secrets = Secrets({"A": value})

    for is_ascii in (False, True):
        text = json.dumps({"a": f"x {value} y"}, ensure_ascii=is_ascii)
        assert json.loads(secrets.mask(text)) == {"a": "x *** y"}
        nested = json.dumps({"body": text}, ensure_ascii=is_ascii)
        assert json.loads(json.loads(secrets.mask(nested))["body"]) == {"a": "x *** y"}


@pytest.mark.parametrize("around", [("", ""), ("", "\n"), ("u:", ""), ("us:", "."), ("use:", ""), ("é", "é")])
@pytest.mark.parametrize("encoded", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("value", ["hunter2sesame9", "aa>>?~12", "ÿÿþ>?12"])
def test_secret_in_base64_of_more_is_masked(value, encoded, around):
    text = encoded(value.join(around).encode()).decode()

    masked = Secrets({"A": value}).mask(f"got {text}")

    assert "***" in masked
    assert len(masked) <= len("got ***") + len(encoded("".join(around).encode())) + 4


def test_short_secret_marks_no_other_text():
    assert Secrets({"A": "a", "B": "bc", "C": "def"}).mask("ghij 123") == "ghij 123"
