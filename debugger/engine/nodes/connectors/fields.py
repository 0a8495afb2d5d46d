"""Checks of a request's fields, made before the call."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from debugger.errors import InputError

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_TELEPHONE = re.compile(r"\+?[(0-9][0-9 ().-]{5,24}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_BIRTHDATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")
_DATE_LENGTH = len("2026-07-14")


def check_present(text: str, field_name: str) -> None:
    """Raise an `InputError` where a text is blank."""
    if not text.strip():
        raise InputError(f"{field_name} is empty.", advice="Fill it, or set the variable that fills it.")


def check_e164(text: str, field_name: str) -> None:
    """Raise an `InputError` for a blank text, and unless it is a phone number in E.164."""
    check_present(text, field_name)
    if not _E164.fullmatch(text):
        raise InputError(
            f"{field_name} is {text!r}, which is not a phone number in the format E.164.",
            advice="Write a plus sign, the country and the number without spaces, such as +14155550123.",
        )


def check_telephone(text: str, field_name: str) -> None:
    """Raise an `InputError` unless a text is empty or a phone number of 7 to 15 digits."""
    digits = sum(character.isdigit() for character in text)
    if text and not (_TELEPHONE.fullmatch(text) and 7 <= digits <= 15):
        raise InputError(
            f"{field_name} is {text!r}, which is not a phone number.",
            advice="Write 7 to 15 digits, such as +14155550123 or (415) 555-0123.",
        )


def check_email(text: str, field_name: str) -> None:
    """Raise an `InputError` unless a text is empty or an e-mail address."""
    if text and not _EMAIL.fullmatch(text):
        raise InputError(
            f"{field_name} is {text!r}, which is not an e-mail address.",
            advice="Write one as name@example.com.",
        )


def check_birthdate(text: str, field_name: str) -> None:
    """Raise an `InputError` unless a text is empty or an existing day, as 1980-12-31 or 12/31/1980."""
    if text and not any(_is_day(text, day_format) for day_format in _BIRTHDATE_FORMATS):
        raise InputError(
            f"{field_name} is {text!r}, which is not a date.", advice="Write it as 1980-12-31 or 12/31/1980."
        )


def parse_moment(text: str, time_zone: str, field_name: str) -> datetime:
    """Return a date with a time as an aware moment, in the time zone unless it has an offset.

    Raises:
        InputError: It is blank, no such moment or outside the years 1900 to 2999, or there is no such time
            zone.
    """
    check_present(text, field_name)
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"There is no time zone {time_zone!r}.", advice="Write a name such as America/New_York."
        ) from error
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or len(text) <= _DATE_LENGTH or not 1900 <= moment.year < 3000:
        raise InputError(
            f"{field_name} is {text!r}, which is not a date with a time.",
            advice="Write it as 2026-07-14T09:30, with an offset such as -04:00 where it is not local.",
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _is_day(text: str, day_format: str) -> bool:
    """Return whether a text is an existing day in a format of `datetime.strptime`."""
    try:
        datetime.strptime(text, day_format)
    except ValueError:
        return False
    return True
