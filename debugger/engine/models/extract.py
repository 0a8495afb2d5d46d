"""Values in what a user said: dates, times, phone numbers, e-mail addresses, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Kind = Literal["date", "time", "phone", "email", "number"]

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH = "|".join(f"{name}|{name[:3]}" if len(name) > 3 else name for name in MONTHS) + "|sept"
DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_NUMBER_WORDS = (
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


@dataclass(frozen=True)
class Value:
    """One value, and where it stands."""

    kind: Kind
    start: int
    end: int
    value: Any
    """A number, or a text; a date or a time is in ISO form where it is explicit, else in the user's words."""
    has_year: bool = False
    """Of a date."""


def find_values(text: str) -> list[Value]:
    """Every value in a text, by place; of two that overlap the more telling kind, as a date over a number."""
    found: list[Value] = []
    taken = bytearray(len(text))
    for kind, pattern, read in _READERS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            has_year = kind == "date" and re.search(r"\d{4}", match[0]) is not None
            found.append(Value(kind, start, end, read(match), has_year))
            taken[start:end] = b"\1" * (end - start)
    return sorted(found, key=lambda value: value.start)


def _named_date(match: re.Match[str]) -> str:
    month = [name[:3] for name in MONTHS].index(match["month"].casefold()[:3]) + 1
    return _iso(match["year"], month, int(match["day"])) or match[0] if match["year"] else match[0]


def _slashed_date(match: re.Match[str]) -> str:
    """Explicit only where one of the two numbers can be no month."""
    first, second = int(match["first"]), int(match["second"])
    if first > 12 >= second:
        return _iso(match["year"], second, first) or match[0]
    if second > 12 >= first:
        return _iso(match["year"], first, second) or match[0]
    return match[0]


def _dotted_date(match: re.Match[str]) -> str:
    return _iso(match["year"], int(match["month"]), int(match["day"])) or match[0]


def _iso(year: str, month: int, day: int) -> str | None:
    try:
        return date(int(year), month, day).isoformat()
    except ValueError:
        return None


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]) % 12, match["minute"] or "00"
    return f"{hour + 12 if match['half'].casefold().startswith('p') else hour:02d}:{minute}"


def _number(match: re.Match[str]) -> int | float:
    written = match[0].replace(",", "")
    return float(written) if "." in written else int(written)


def _number_word(match: re.Match[str]) -> int:
    return _NUMBER_WORDS.index(match[0].casefold()) + 1


def _as_said(match: re.Match[str]) -> str:
    return match[0]


def _noon(match: re.Match[str]) -> str:
    return "00:00" if match[0].casefold() == "midnight" else "12:00"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_ORDINAL = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_PHONE = r"(?<![\w.])(?<!\d[ .-])\+?\(?\d(?:(?:[ .-]|\) ?| ?\()?\d){6,14}(?![ .-]?\d|\w)"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"

_READERS: tuple[tuple[Kind, re.Pattern[str], Callable[[re.Match[str]], Any]], ...] = (
    ("email", _pattern(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _as_said),
    ("date", _pattern(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b"), _dotted_date),
    ("date", _pattern(r"\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\b"), _dotted_date),
    ("date", _pattern(r"\b(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<year>\d{4})\b"), _slashed_date),
    ("date", _pattern(rf"\b{_ORDINAL}\s+(?:of\s+)?(?P<month>{_MONTH})\b{_YEAR}"), _named_date),
    ("date", _pattern(rf"\b(?P<month>{_MONTH})\.?\s+(?:the\s+)?{_ORDINAL}\b{_YEAR}"), _named_date),
    ("date", _pattern(rf"\b(?:(?:next|this|coming)\s+)?(?:{DAYS})\b"), _as_said),
    ("date", _pattern(r"\b(?:the day after tomorrow|today|tomorrow|next week)\b"), _as_said),
    (
        "time",
        _pattern(r"\b(?P<hour>1[0-2]|0?[1-9])(?:[:.](?P<minute>[0-5]\d))?\s*(?P<half>[ap]\.?m\b)"),
        _clock,
    ),
    ("time", _pattern(r"\b(?:[01]?\d|2[0-3]):[0-5]\d\b"), _as_said),
    ("time", _pattern(rf"\b(?:\d{{1,2}}|{'|'.join(_NUMBER_WORDS)})\s+o'clock\b"), _as_said),
    ("time", _pattern(r"\b(?:noon|midday|midnight)\b"), _noon),
    ("time", _pattern(r"\b(?:morning|afternoon|evening)\b"), _as_said),
    ("phone", _pattern(_PHONE), _as_said),
    ("number", _pattern(r"(?<![\w.])-?(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,15})?(?!\w)"), _number),
    # "one" counts nothing in "that one" and "the first one".
    ("number", _pattern(rf"\b(?:{'|'.join(_NUMBER_WORDS[1:])})\b"), _number_word),
    ("number", _pattern(r"^one\b|(?<=\bfor )one\b|(?<=\b(?:have|want|need|take|with) )one\b"), _number_word),
)
