from __future__ import annotations

import pytest

from debugger.errors import InputError
from debugger.store.times import iso_time, seconds_of


def test_a_moment_is_written_in_utc_to_the_millisecond():
    assert iso_time(0) == "1970-01-01T00:00:00.000Z"
    assert iso_time(1_785_200_000.1239) == "2026-07-28T00:53:20.123Z"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01T02:00:10+02:00", 10),
        ("1970-01-01T00:00:10", 10),
        ("1970-01-01T00:00:10.250Z", 10.25),
        ("1970-01-02", 86_400),
    ],
)
def test_a_moment_is_read_in_any_zone(text, seconds):
    assert seconds_of("start", text) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "1785200000"])
def test_a_text_that_is_no_moment_is_refused_by_name(text):
    with pytest.raises(InputError, match=f"start is {text!r}"):
        seconds_of("start", text)
