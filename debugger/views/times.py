"""Times in the zone of the settings; files have UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from debugger.errors import SettingsError
from debugger.settings import read_settings


def zone_name() -> str:
    """Return the name of the zone in which the page shows times; UTC where the settings cannot be read."""
    try:
        return read_settings().shown_time_zone
    except SettingsError:
        return "UTC"  # the page shows the error where a backend is opened


def zone() -> tzinfo:
    """Return the zone in which the page shows times."""
    return ZoneInfo(zone_name())


def shown_time(moment: str | float | None, *, seconds: bool = True) -> str:
    """Return a time as ``2026-07-01 10:00:00`` in the zone of the page.

    Args:
        moment: ISO 8601 in UTC, or seconds since 1970. Anything else is shown as it is.
        seconds: Whether the seconds are shown.
    """
    found = _moment(moment)
    if found is None:
        return str(moment or "")
    return found.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def seconds_since_1970(moment: str | float | None) -> float | None:
    """Return a time as a number; ``None`` without one."""
    found = _moment(moment)
    return None if found is None else found.timestamp()


def shown_day(moment: str | float | None) -> str:
    """Return the day of a time as ``2026-07-01``; empty without one."""
    found = _moment(moment)
    return "" if found is None else found.date().isoformat()


def day_begin(day: date | None) -> datetime | None:
    """Return the first moment of a day in the zone."""
    return None if day is None else datetime.combine(day, time(), zone())


def day_end(day: date | None) -> datetime | None:
    """Return the first moment after a day; ``None`` without one."""
    return day_begin(day + timedelta(days=1)) if day is not None and day < date.max else None


def _moment(moment: str | float | None) -> datetime | None:
    """Return a time in the zone of the page; ``None`` for what is none, or is outside of the calendar.

    A text without a zone counts as UTC.
    """
    try:
        if isinstance(moment, str):
            found = datetime.fromisoformat(moment)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(zone())
        return None if moment is None else datetime.fromtimestamp(moment, zone())
    except (OverflowError, ValueError, OSError):
        return None
