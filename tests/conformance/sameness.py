"""Comparable form of records: without ids, times and random values."""

from __future__ import annotations

import re

_ID = re.compile(r"[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_TIMES = re.compile(r"timestamp|.*_at|.*latency.*|.*_ms|.*_seconds|next_due")
_CLOCK = {"now", "date", "time", "year", "month", "day", "hour", "minute", "iso_datetime", "day_of_week"}
_CHANCE = {"rand_int", "rand_str", "rand_float", "rand_uuid", "rand_bool"}
"""The dynamic variables that the platform itself supplies."""


def without_ids_and_times(value):
    """Return JSON with numbered ids, without times and random values.

    Ids are numbered in the order of their first place.
    Where an id comes again its number does: what refers to what is compared, too.
    """
    return _plain(value, {})


def _plain(value, numbers):
    if isinstance(value, dict):
        steady = {key: inner for key, inner in value.items() if not _varies(key, inner)}
        return {_plain(key, numbers): _plain(inner, numbers) for key, inner in steady.items()}
    if isinstance(value, list):
        return [_plain(inner, numbers) for inner in value]
    if isinstance(value, str):
        return _ID.sub(lambda found: f"id {numbers.setdefault(found[0], len(numbers))}", value)
    return value


def _varies(key, value):
    return key in _CLOCK | _CHANCE or _TIMES.fullmatch(key) is not None
