"""The dynamic variables that every run has: clock and chance (``platform/engine.md`` 5.3)."""

from __future__ import annotations

SYSTEM_NAMES = frozenset(
    {"now", "date", "time", "year", "month", "day", "hour", "minute", "iso_datetime", "day_of_week"}
    | {"timestamp", "timestamp_ms", "rand_int", "rand_str", "rand_float", "rand_uuid", "rand_bool"}
)
