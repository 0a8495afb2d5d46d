from __future__ import annotations

from debugger.store.sql_helpers import iso_time


def test_iso_time_is_utc_to_millisecond():
    assert iso_time(0) == "1970-01-01T00:00:00.000Z"
    assert iso_time(1_785_200_000.1239) == "2026-07-28T00:53:20.123Z"
