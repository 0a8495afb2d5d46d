"""What a user says in set phrases: a name, a reason, what a thing is."""

from __future__ import annotations

import re

from debugger.engine.models.extract import DAYS, MONTHS, find_values
from debugger.engine.models.word_overlap import words

_PHRASE = r"[^,.;:!?\n]+?(?=\s+(?:and|but)\s+(?:my|the|i|it|on|we|a)\b|\s+please\b|[,.;:!?\n]|$)"
_CAPITALISED = r"[^\W\d_a-z][\w'’-]*"
_NAME = rf"(?P<name>{_CAPITALISED}(?:\s+(?:(?:van|von|de|da|del|der|bin|al)\s+)*{_CAPITALISED}){{0,3}})"
_LOWER = r"[a-z][a-z'’-]*"
_INTRODUCTIONS = (
    re.compile(rf"\b(?i:name is|name's|name:|call me)\s+{_NAME}"),
    re.compile(
        rf"\b(?i:name is|name's|name:)\s+(?P<name>{_LOWER}(?:\s+(?!and\b){_LOWER})?)(?=[,.;!]|\s+and\b|$)"
    ),
    re.compile(rf"\b(?i:this is|i'm|i’m|i am|it's|it’s)\s+{_NAME}"),
    re.compile(rf"^\s*{_NAME}\s+(?:here|speaking)\b"),
    re.compile(rf"^\s*(?=\S+\s+\S){_NAME}(?=\s*(?:[,.;!]|$))"),
)
_GREETINGS = (
    "good morning afternoon evening hello hi hey yes no ok okay thank thanks please sure great well not "
    "sorry the a my i"
)
_NOT_A_NAME = frozenset([*MONTHS, *DAYS.split("|"), *_GREETINGS.split()])

_REASON = re.compile(
    r"\b(?:reason(?:\s+for\s+\w+\s+\w+)?\s+is|because\s+of|because|due\s+to|"
    r"(?<!what )(?<!how )about|regarding|"
    r"i(?:'ve|’ve|\s+have)(?:\s+got|\s+had)?|i(?:'m|’m|\s+am)\s+having|suffering\s+from|complaining\s+of)\s+"
    rf"(?P<reason>{_PHRASE})",
    re.IGNORECASE,
)
_NO_REASON = frozenset(word.stem for word in words("appointment booking time yes no it that one"))


def person_name(text: str) -> str | None:
    """The name that a user introduces with, as "my name is ...", "I'm ..." or by the name alone."""
    for pattern in _INTRODUCTIONS:
        for match in pattern.finditer(text):
            if _is_name(match["name"]):
                return match["name"]
    return None


def stated_reason(text: str) -> str | None:
    """What a user says something is about or because of."""
    match = _REASON.search(text)
    if match is None:
        return None
    said = match["reason"].strip()
    begins_with_value = any(value.start == match.start("reason") for value in find_values(text))
    telling = [word for word in words(said) if not word.weak and word.stem not in _NO_REASON]
    return said if telling and not begins_with_value else None


def stated_value(text: str, name: str) -> str | None:
    """What a user says that something is, as "my city is Graz" or "city: Graz", where ``name`` is "city"."""
    thing = r"\s+".join(re.escape(word) for word in name.split())
    match = re.search(rf"\b{thing}\b\s*(?:\bis\b|\bwas\b|:|=)\s*(?P<value>{_PHRASE})", text, re.IGNORECASE)
    return match["value"].strip() if match else None


def _is_name(text: str) -> bool:
    return not any(part.lower() in _NOT_A_NAME for part in text.split())
