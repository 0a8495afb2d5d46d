from __future__ import annotations

import time

from debugger.protocol.base import is_id
from debugger.store.sql_helpers import iso_time, new_id


def test_new_id_is_24_hex_digits():
    assert all(is_id(new_id()) for _ in range(100))


def test_new_id_begins_with_time():
    before = int(time.time())

    made = new_id()

    assert before <= int(made[:8], 16) <= int(time.time())


def test_ids_of_different_seconds_sort_by_time(monkeypatch):
    moments = iter([9.0, 10.5, 255.0, 256.9, 1_785_200_000.0])
    monkeypatch.setattr(time, "time", lambda: next(moments))

    made = [new_id() for _ in range(5)]

    assert made == sorted(made)


def test_no_two_ids_are_the_same():
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_iso_time_is_utc_to_millisecond():
    assert iso_time(0) == "1970-01-01T00:00:00.000Z"
    assert iso_time(1_785_200_000.1239) == "2026-07-28T00:53:20.123Z"
