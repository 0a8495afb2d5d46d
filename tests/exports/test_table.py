from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debugger.exports.masking_rules import Masker, MaskingOptions
from debugger.exports.redaction import redact
from debugger.exports.table import Scrubber

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


@given(values=st.lists(VALUES, max_size=4), code=st.sampled_from(["", "hello", 1.5, 0.0]))
def test_scrubbing_equals_redaction_and_masking(values, code):
    options = MaskingOptions(variables=("code",))
    one, other = Masker(options), Masker(options)
    for masker in (one, other):
        masker.learn("code", code)
    scrubber = Scrubber(one)

    found = [scrubber.scrub(value) for value in values]

    assert found == [other.mask_value(redact(value)) for value in values]


def test_clean_value_is_not_copied():
    value = {"a": [{"b": "hello"}], "c": 1}

    assert Scrubber(Masker(MaskingOptions())).scrub(value) is value


def test_secrets_are_removed_without_rules():
    scrubber = Scrubber(Masker(MaskingOptions(frozenset())))

    assert scrubber.scrub({"password": "hush", "phone": "+49 171 1234567"}) == {
        "password": "***",
        "phone": "+49 171 1234567",
    }
