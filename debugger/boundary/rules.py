"""Rules that find personal data and keys in texts.

Each rule reads a text once from left to right, with windows of a fixed length, and releases the interpreter's
lock meanwhile: a text of a megabyte stops no other thread.
"""

from __future__ import annotations

import json
import math
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import regex

from debugger.errors import InputError

RULES: dict[str, str] = {
    "key": "Keys and tokens",
    "email": "E-mail addresses",
    "card": "Card numbers",
    "national_id": "National ids",
    "birth_date": "Dates of birth",
    "phone": "Phone numbers",
    "variable": "Listed variables",
}
"""Labels of the rules by name."""

MARKS = {
    "key": "[key]",
    "email": "[e-mail]",
    "phone": "[phone]",
    "card": "[card]",
    "national_id": "[id]",
    "birth_date": "[birth date]",
    "variable": "[hidden]",
}
ALL_MARKS = frozenset(MARKS.values())

Span = tuple[int, int]
Found = tuple[int, int, str]
"""A place in a text, and the rule that masks it."""
Finder = Callable[[str, str], Iterator[Span]]
"""Yields the places of a text that a rule masks, in order and without overlap; it also gets the text in lower
case."""

_LONG = 2_000
"""Characters of a text from which a search releases the lock; to release it takes time, too."""


def compiled(pattern: str) -> regex.Pattern[str]:
    """Return a pattern, which has to be linear."""
    return regex.compile(pattern)


def found_in(pattern: regex.Pattern[str], text: str) -> Iterator[regex.Match[str]]:
    """Return the matches of a pattern in a text."""
    matches: Iterator[regex.Match[str]] = pattern.finditer(text, concurrent=len(text) > _LONG)
    return matches


def is_found(pattern: regex.Pattern[str], text: str) -> bool:
    """Return whether a pattern matches anywhere in a text."""
    return pattern.search(text, concurrent=len(text) > _LONG) is not None


_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = compiled(
    rf"(?i)(?<!\d){_MONTHS}\.?\s{{1,3}}+\d{{1,2}}(?:st|nd|rd|th)?,?\s{{1,3}}+\d{{4}}"
    rf"|(?<!\d)\d{{1,2}}(?:st|nd|rd|th)?\.?\s{{1,3}}+(?:of\s{{1,3}}+)?{_MONTHS}\.?,?\s{{1,3}}+\d{{4}}"
    r"|(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
)
_BIRTH = compiled(
    r"(?i)(?<![^\W_])(?:born|birth|birthday|birthdate|dob|d\.o\.b\.|geboren|geburtsdatum|nacimiento|naissance)"
    r"(?![^\W_])[^\n\d]{0,40}+$"
)
"""The words before a date of birth."""
_BIRTH_WINDOW = 60

_LABELLED_KEY = compiled(
    r"(?i:\b(?:api[_ -]?key|access[_ -]?token|token|secret|password|passwd|pwd)\b"
    r"\s{0,9}+(?:is|=|:)\s{0,9}+[\"']?+)(?P<part>[^\s\"',;]{6,}+)"
)
_KNOWN_KEY = compiled(
    r"(?<![\w-])eyJ[\w-]{8,4096}+\.[\w-]{8,16384}+\.[\w-]*+"
    r"|(?P<issued>\b(?:sk|pk|rk|xox[abprs]|gh[opsur]|glpat|npm|hf|shpat)[-_][\w-]{12,}+)"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}+"
    r"|(?<=\bBearer )[\w.~+/=-]{8,}+"
    r"|-----BEGIN [A-Z ]{0,40}?PRIVATE KEY-----(?:[^-]++|-(?!----END ))*+"
    r"(?:-----END [A-Z ]{0,40}?PRIVATE KEY-----)?"
)
_RANDOM = compiled(r"(?<![\w/-])[A-Za-z0-9_-]{32,}+(?![\w-])")
"""Pattern of what may be a key of an unknown issuer: long enough, and random by `_is_random`."""
_MIN_BITS = 3.8
"""Bits of entropy of a character; texts of hexadecimal digits have less, and so have names of words."""

_EMAIL = compiled(r"(?<=([\w.%+'-]{1,64}))@(?:[\w-]{1,63}+\.)+[^\W\d_]{2,24}")
_CARD = compiled(r"(?<![\w.+-])[2-6](?:[ -]?\d){12,18}(?![\w-])")
_NATIONAL_ID = compiled(
    r"(?<![\w.-])(?:\d{3}-\d{2}-\d{4}|(?<!\d )\d{4} \d{4} \d{4}(?! \d)|\d{8}-?[A-Z]"
    r"|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])(?![\w-])"
)
_DIGIT_GROUPS = compiled(
    r"(?<![\w.@/#-])(?<!\d:)(?:\+|00)?(?:\(\d{1,5}\)|\d++)"
    r"(?:[ ./-]{0,2}+(?:\(\d{1,5}\)|\d{2,}+)){0,14}+(?![\w@-]|:\d)"
)
_NO_PHONE = compiled(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
    r"|\d{1,3}(?:\.\d{3})+|1[5-9]\d{8}|1\d{11,14}"
)
"""Dates, addresses of machines, numbers with points, and times in seconds and milliseconds since 1970."""
_PIECES = compiled(r"\S{6,}+")
_ISSUERS = compiled(
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|62\d{14,17}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"
)
"""Numbers of cards by the issuer's prefix and its lengths."""

_KEY_LABELS = ("key", "token", "secret", "pass", "pwd")
_KEY_ISSUERS = tuple(
    f"{issuer}{end}"
    for issuer in (
        *("sk", "pk", "rk", "glpat", "npm", "hf", "shpat"),
        *(f"xox{kind}" for kind in "abprs"),
        *(f"gh{kind}" for kind in "opsur"),
    )
    for end in "-_"
)
_KEY_HEADS = (*_KEY_ISSUERS, "eyj", "akia", "asia", "aiza", "bearer ", "-----begin ")
_BIRTH_WORDS = ("born", "birth", "dob", "d.o.b", "geboren", "geburt", "nacimiento", "naissance")
"""Words by rule, in lower case: each match has one of them in it, and most texts have none."""
_LONG_WORD = compiled(r"[\w-]{32}")
_SIX_DIGITS = compiled(r"\d(?:\D{0,4}\d){5}")
"""Each card, national id and phone number has this in it."""
_SHORTEST_MATCH = 6
"""Characters of the shortest text in which a pattern finds anything."""
_MACHINE_ID = compiled(r"[a-z_]{0,40}[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id that a program has made, in which no pattern finds anything."""
_NAMES: dict[str, regex.Pattern[str]] = {
    "email": compiled(r"(?:^|_)e_?mail(?:_address)?$"),
    "phone": compiled(r"(?:^|_)(?:phone|mobile|telephone|cell|fax)(?:_?(?:number|no|nr))?$|^tel$"),
    "card": compiled(r"(?:^|_)(?:card|credit_card|pan)_?(?:number|no|nr)$"),
    "national_id": compiled(
        r"(?:^|_)(?:ssn|social_security(?:_number)?|national_id|tax_id|passport(?:_number)?)$"
    ),
    "birth_date": compiled(r"(?:^|_)(?:dob|date_of_birth|birth_?(?:date|day))$"),
}
"""Names of variables and fields whose whole value a rule masks."""
_WORD_ENDS = compiled(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_MACHINE_ID = 80
_MAX_DEPTH = 8
"""Rounds in which what a mark separates is looked at again."""


@dataclass(frozen=True)
class MaskingOptions:
    """The rules of one export."""

    rules: frozenset[str] = frozenset(RULES)
    """Names of the rules that are on; none of them means that masking is off."""
    variables: tuple[str, ...] = ()
    """Names of variables whose values are masked wherever they are."""

    def __post_init__(self) -> None:
        """Refuse a rule that does not exist: with it nothing would be masked.

        Raises:
            InputError: There is one.
        """
        unknown = sorted(self.rules - set(RULES))
        if unknown:
            raise InputError(
                f"There is no masking rule {unknown[0]!r}.", advice=f"Choose from {', '.join(RULES)}."
            )

    @property
    def is_off(self) -> bool:
        """Return whether only secrets are masked."""
        return not self.rules

    @property
    def words(self) -> str:
        """Return what a file says of its masking."""
        return "off: only secrets are masked" if self.is_off else "on"

    @property
    def listed(self) -> frozenset[str]:
        """Return the listed variables in the spelling in which names are compared."""
        return frozenset(map(_spelled, self.variables)) if "variable" in self.rules else frozenset()


class TextRules:
    """The rules that are on, applied to texts.

    A text is read in the parts between marks, and each of these again until no rule finds anything in it: to
    mask a masked text changes nothing.

    Args:
        rules: Their names.
        marked: Returns the mark of a rule, and counts it.
    """

    def __init__(self, rules: Collection[str], marked: Callable[[str], str]) -> None:
        """Take the finders of the rules that are on; known values are found even where no rule is on.

        They are looked for right after keys.
        """
        self._marked = marked
        self.values = KnownValues()
        self._finders: list[Callable[[str, str], Iterator[Found]]] = []
        for rule, find in _FINDERS.items():
            if rule in rules:
                self._finders.append(_with_rule(find, rule))
            if rule == "key":
                self._finders.append(self.values.find)

    def mask(self, text: str, opaque: regex.Pattern[str] | None) -> str:
        """Return a text with everything masked that a rule finds.

        Args:
            text: The text.
            opaque: Finds what is passed over: marks, and names that are kept.
        """
        if opaque is None:
            return self._part(text, 0)
        parts, at = [], 0
        for match in found_in(opaque, text):
            parts += [self._part(text[at : match.start()], 0), match[0]]
            at = match.end()
        return "".join([*parts, self._part(text[at:], 0)])

    def _part(self, text: str, depth: int) -> str:
        """Mask a part of a text with the first finder that finds something, and the rest by recursion."""
        if len(text) < (KnownValues.HEAD if self.values else _SHORTEST_MATCH) or depth == _MAX_DEPTH:
            return text
        if not self.values and len(text) < _MAX_MACHINE_ID and _MACHINE_ID.fullmatch(text):
            return text
        folded = text.casefold()
        for find in self._finders if len(text) >= _SHORTEST_MATCH else (self.values.find,):
            found = find(text, folded)
            first = next(found, None)
            if first is not None:
                return self._marked_text(text, chain((first,), found), depth + 1)
        return text

    def _marked_text(self, text: str, found: Iterable[Found], depth: int) -> str:
        """Return a text with marks in place of what was found, and the rest masked by all finders.

        The places are in order and do not overlap.
        """
        parts, at = [], 0
        for start, end, rule in found:
            if start > at:
                parts.append(self._part(text[at:start], depth))
            parts.append(self._marked(rule))
            at = end
        return "".join([*parts, self._part(text[at:], depth)])


def _with_rule(find: Finder, rule: str) -> Callable[[str, str], Iterator[Found]]:
    return lambda text, folded: ((start, end, rule) for start, end in find(text, folded))


class KnownValues:
    """Values that are masked wherever they are in a text, in any case, as whole words.

    So is what is left of a value that was cut, as in ``a long te…``, and a value as JSON or Python quotes it.
    """

    HEAD = 3
    """Characters of the shortest value, by which values are found."""

    def __init__(self) -> None:
        self._rules: dict[str, str] = {}
        self._heads: dict[str, list[str]] = {}
        self._begins = _NOTHING

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, text: str, rule: str) -> bool:
        """Add a value; return whether it is new. A shorter one than three characters is none."""
        news = [self._add(each, rule) for each in _spellings(text.strip())]
        return any(news)

    def _add(self, text: str, rule: str) -> bool:
        """Add a value to be masked by a rule; return false if it is too short or known already."""
        value = _lowered(text)
        if len(value) < self.HEAD or value in self._rules:
            return False
        self._rules[value] = rule
        if not self._begins.match(value):
            first = "".join({head[0] for head in self._heads} | {value[0]})
            self._begins = compiled(rf"(?<!\w)[{regex.escape(first, special_only=False)}]")
        heads = self._heads.setdefault(value[: self.HEAD], [])
        heads.append(value)
        heads.sort(key=len, reverse=True)
        return True

    def rule_of(self, text: str) -> str | None:
        """Return the rule of a whole value."""
        return self._rules.get(_lowered(text))

    def find(self, text: str, folded: str) -> Iterator[Found]:
        """Yield the places of values in a text with their rules."""
        if not self._rules:
            return
        lowered, end = _lowered(text), 0
        cuts = [at for at, character in enumerate(lowered) if character == CUT] if CUT in lowered else ()
        for match in found_in(self._begins, lowered):
            start = match.start()
            if start < end:
                continue
            for value in self._heads.get(lowered[start : start + self.HEAD], ()):
                stop = start + len(value)
                if not lowered.startswith(value, start) or _is_word(lowered[stop : stop + 1]):
                    if not cuts:
                        continue
                    after = bisect(cuts, start)
                    stop = cuts[after] if after < len(cuts) else start
                    is_part = start < stop < start + min(len(value), _MAX_CUT)
                    if not is_part or not value.startswith(lowered[start:stop]):
                        continue
                yield start, stop, self._rules[value]
                end = stop
                break


_NOTHING = compiled(r"(?!)")
CUT = "…"
"""The end of a text that was cut."""
_MAX_CUT = 2_000
"""Characters that are looked at before it; no text is cut at more."""


def _spellings(text: str) -> set[str]:
    """Return a value as it is, in one line, and as JSON and Python quote it."""
    if text.isprintable() and not _QUOTED.intersection(text):
        return {text}  # nearly all of them
    return {text, " ".join(text.splitlines()), json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}


_QUOTED = frozenset("\"'\\")


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _lowered(text: str) -> str:
    lower = text.lower()
    # Of a few letters, as İ, the lower form has more characters than the text.
    return lower if len(lower) == len(text) else "".join(map(_lower_letter, text))


def _lower_letter(letter: str) -> str:
    lower = letter.lower()
    return lower if len(lower) == 1 else letter


def opaque_pattern(marks: Collection[str], names: Collection[str] = ()) -> regex.Pattern[str]:
    """Return a pattern of what is passed over: marks, and names as whole words."""
    whole = [rf"(?<!\w){regex.escape(name)}(?!\w)" for name in sorted(names, key=len, reverse=True)]
    return regex.compile("|".join([*map(regex.escape, marks), *whole]))


def has_any(words: Collection[str], folded: str) -> bool:
    """Return whether a text has one of some words in it."""
    for word in words:  # noqa: SIM110 -- a generator takes three times as long, for each text of an export
        if word in folded:
            return True
    return False


def has_digits(folded: str) -> bool:
    """Return whether a text has six digits that are close to each other."""
    return is_found(_SIX_DIGITS, folded)


def _find_birth_dates(text: str, folded: str) -> Iterator[Span]:
    """Yield the places of dates that follow a word for a birth within `_BIRTH_WINDOW` characters."""
    if has_any(_BIRTH_WORDS, folded):
        for match in found_in(_DATE, text):
            start = match.start()
            if _BIRTH.search(text[max(0, start - _BIRTH_WINDOW) : start]):
                yield match.span()


def _find_keys(text: str, folded: str) -> Iterator[Span]:
    """Yield the places of keys: labelled ones, ones of a known kind, and long random words; none overlap."""
    spans = []
    if has_any(_KEY_LABELS, folded):
        spans += [match.span("part") for match in found_in(_LABELLED_KEY, text)]
    if has_any(_KEY_HEADS, folded):
        known = found_in(_KNOWN_KEY, text)
        spans += [match.span() for match in known if match["issued"] is None or _has_digit(match[0])]
    if is_found(_LONG_WORD, text):
        spans += [match.span() for match in found_in(_RANDOM, text) if _is_random(match[0])]
    return _merged(spans)


def _find_emails(text: str, folded: str) -> Iterator[Span]:
    """Yield the places of e-mail addresses; nothing in a text without ``@``.

    Of two that share characters the later begins where the earlier ends, and is left out where nothing of its
    name is left then.
    """
    if "@" not in text:
        return
    end = 0
    for match in found_in(_EMAIL, text):
        start = max(match.start(1), end)
        if start < match.start():
            end = match.end()
            yield start, end


def _find_cards(text: str, folded: str) -> Iterator[Span]:
    """Yield the places of card numbers; last groups of digits that are no part of the number are left out."""
    if not has_digits(folded):
        return
    for match in found_in(_CARD, text):
        if is_card(match[0]):
            yield match.span()
            continue
        # What follows a number after a blank may be no part of it.
        cut = match[0].rpartition(" ")[0]
        while len(cut) > 12:
            if is_card(cut):
                yield match.start(), match.start() + len(cut)
                break
            cut = cut.rpartition(" ")[0]


def _find_national_ids(text: str, folded: str) -> Iterator[Span]:
    if has_digits(folded):
        yield from (match.span() for match in found_in(_NATIONAL_ID, text))


def _find_phones(text: str, folded: str) -> Iterator[Span]:
    """Yield the places of phone numbers in groups of digits.

    Nothing in a text without digits that are close to each other.
    """
    if has_digits(folded):
        for match in found_in(_DIGIT_GROUPS, text):
            start, end = match.span()
            if end - start >= _MIN_PHONE:
                yield from _phones_of(match[0], start)


def _phones_of(groups: str, offset: int) -> Iterator[Span]:
    """Yield the phone numbers in groups of digits: as a whole, else what stands between dates and blanks."""
    # Of a shorter piece nothing is asked: no date and no phone number has so few characters.
    pieces = [match.span() for match in _PIECES.finditer(groups)]
    if not any(_NO_PHONE.fullmatch(groups[start:end]) for start, end in pieces):
        if is_phone(groups):
            yield offset, offset + len(groups)
            return
        if not pieces or sum(map(str.isdigit, groups)) <= _MAX_PHONE:
            return
    for start, end in pieces:
        if end - start < len(groups) and is_phone(groups[start:end]):
            yield offset + start, offset + end


def _merged(spans: list[Span]) -> Iterator[Span]:
    """Yield spans in order; those that overlap are one."""
    spans.sort()
    start, end = 0, 0
    for first, last in spans:
        if first >= end:
            if end:
                yield start, end
            start = first
        end = max(end, last)
    if end:
        yield start, end


_FINDERS: dict[str, Finder] = {
    "birth_date": _find_birth_dates,
    "key": _find_keys,
    "email": _find_emails,
    "card": _find_cards,
    "national_id": _find_national_ids,
    "phone": _find_phones,
}
"""The rules that find something in texts, in the order in which they are applied: what the first ones look
for has a context that a mark would cut."""


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_random(text: str) -> bool:
    """Return whether a long text is a key: digits, letters of both cases, and much entropy."""
    head = text[:256]
    digits = sum(map(str.isdigit, head))
    if digits < 3 or not any(map(str.isupper, head)) or not any(map(str.islower, head)):
        return False
    return -sum(n / len(head) * math.log2(n / len(head)) for n in Counter(head).values()) >= _MIN_BITS


def is_card(text: str) -> bool:
    """Return whether digits are a card number: prefix and length of an issuer, and a right check digit.

    Args:
        text: Digits, which may have blanks and hyphens between them.
    """
    digits = text.replace(" ", "").replace("-", "")
    return _ISSUERS.fullmatch(digits) is not None and has_check_digit(digits)


_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
"""Makes of each digit the sum of the digits of its double."""


def has_check_digit(digits: str) -> bool:
    """Return whether digits satisfy the Luhn formula."""
    number = (digits if digits.isascii() else str(int(digits))).encode()  # int, for digits of other scripts
    singles, doubled = number[-1::-2], number[-2::-2].translate(_DOUBLED)
    return (sum(singles) - ord("0") * len(singles) + sum(doubled)) % 10 == 0


_MIN_PHONE, _MIN_PLAIN_PHONE, _MAX_PHONE = 7, 9, 15
"""Digits of a phone number; the second of one without a plus sign or separators."""
_SEPARATORS = frozenset(" -./(")


def is_phone(text: str) -> bool:
    """Return whether a text of digits and separators is a phone number.

    A date, a time or an IP address is none. Without a plus sign or separators it has at least nine digits,
    else seven.
    """
    digits = sum(map(str.isdigit, text))
    if not _MIN_PHONE <= digits <= _MAX_PHONE:
        return False
    is_marked = text.startswith(("+", "00", "(")) or not _SEPARATORS.isdisjoint(text.strip())
    return (is_marked or digits >= _MIN_PLAIN_PHONE) and not _NO_PHONE.fullmatch(text)


def texts_in(value: Any) -> Iterator[str]:
    """Yield the texts and numbers in a JSON value, as texts."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def named_rule(name: str, listed: Collection[str]) -> str | None:
    """Return the rule that masks the whole value of a variable, by its name or a dotted path to it."""
    spelled = _spelled(name)
    parts = spelled.split(".")
    if listed and any(each in listed for each in (spelled, *parts)):
        return "variable"
    return next((rule for rule, pattern in _NAMES.items() if pattern.search(parts[-1])), None)


def _spelled(name: str) -> str:
    spelled: str = _WORD_ENDS.sub("_", name.strip())
    return spelled.replace("-", "_").replace(" ", "_").lower()
