from __future__ import annotations

from datetime import date

import pytest

from debugger.views import times


@pytest.fixture
def berlin(monkeypatch):
    """Shows times in Berlin."""
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DISPLAY_TIME_ZONE", "Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-07-01T22:30:00.000Z", "2026-07-02 00:30:00"),
        ("2026-01-01T10:00:00+00:00", "2026-01-01 11:00:00"),
        ("2026-01-01T10:00:00", "2026-01-01 11:00:00"),
        (0.0, "1970-01-01 01:00:00"),
        ("noon", "noon"),
        (None, ""),
    ],
)
def test_times_are_shown_in_the_zone(berlin, moment, shown):
    assert times.shown_time(moment) == shown


def test_days_are_those_of_the_zone(berlin):
    assert times.shown_day("2026-07-01T22:30:00.000Z") == "2026-07-02"
    assert times.shown_day("noon") == ""
    assert times.day_begin(date(2026, 7, 2)).isoformat() == "2026-07-02T00:00:00+02:00"
    assert times.day_end(date(2026, 7, 2)).isoformat() == "2026-07-03T00:00:00+02:00"
    assert times.day_end(date.max) is times.day_begin(None) is None


def test_zone_is_utc_by_default(monkeypatch):
    monkeypatch.delenv("WORKFLOW_DEBUGGER_DISPLAY_TIME_ZONE", raising=False)
    monkeypatch.delenv("WORKFLOW_DEBUGGER_TIME_ZONE", raising=False)

    assert times.shown_time("2026-07-01T22:30:00.000Z", seconds=False) == "2026-07-01 22:30"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_times_beyond_the_calendar_stay_texts(monkeypatch, moment):
    zone = "America/New_York" if moment < "1" else "Europe/Berlin"
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DISPLAY_TIME_ZONE", zone)

    assert times.shown_time(moment) == moment
    assert times.shown_day(moment) == ""
