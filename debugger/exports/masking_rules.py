"""Masking of personal data in exports, by rules that can be switched.

Secrets are masked by `redaction` in any case; these rules are on top of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from debugger.protocol.base import JsonObject

RULES: dict[str, str] = {
    "key": "Keys and tokens",
    "email": "E-mail addresses",
    "card": "Card numbers",
    "national_id": "National ids",
    "birth_date": "Dates of birth",
    "phone": "Phone numbers",
    "variable": "Listed variables",
}
"""Labels of the rules by name, in the order in which they are applied."""

MARKS = {
    "key": "[key]",
    "email": "[e-mail]",
    "phone": "[phone]",
    "card": "[card]",
    "national_id": "[id]",
    "birth_date": "[birth date]",
    "variable": "[hidden]",
}
_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = (
    rf"(?:{_MONTHS}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\.?\s+(?:of\s+)?{_MONTHS}\.?,?\s+\d{{4}}"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})"
)
_PATTERNS: dict[str, re.Pattern[str]] = {
    "key": re.compile(
        r"(?i:\b(?:api[_ -]?key|access[_ -]?token|token|secret|password|passwd|pwd)\b"
        r"\s*(?:is|=|:)\s*[\"']?)(?P<part>[^\s\"',;]{6,})"
        r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
        r"|\b(?:sk|pk|rk|xox[abprs]|gh[opsur]|glpat|npm|hf|shpat)[-_][\w-]{12,}"
        r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}"
        r"|(?<=\bBearer )[\w.~+/=-]{8,}"
        r"|(?<![\w/-])(?=(?:[\w-]*?\d){3})(?=[\w-]*?[A-Z])(?=[\w-]*?[a-z])[\w-]{32,}(?![\w-])"
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        re.DOTALL,
    ),
    "email": re.compile(r"[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}"),
    "card": re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-])"),
    "national_id": re.compile(
        r"(?<![\w.-])(?:\d{3}-\d{2}-\d{4}|\d{4} \d{4} \d{4}|\d{8}-?[A-Z]"
        r"|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])(?![\w-])"
    ),
    "birth_date": re.compile(
        r"(?i)\b(?:born|birth|birthday|birthdate|dob|d\.o\.b\.|geboren|geburtsdatum|nacimiento|naissance)\b"
        rf"[^\n\d]{{0,40}}?(?P<part>{_DATE})"
    ),
    "phone": re.compile(
        r"(?<![\w.@/#-])(?<!\d:)(?:\+|00)?(?:\(\d{1,5}\)|\d{1,5})"
        r"(?:[ ./-]{0,2}(?:\(\d{1,5}\)|\d{2,5})){1,7}(?![\w@-])"
    ),
}
_NO_PHONE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
)
"""Dates and addresses of machines."""
_HINTS: dict[str, re.Pattern[str]] = {
    "key": re.compile(r"key|token|secret|pass|pwd|eyj|akia|asia|aiza|bearer |begin |[\w-]{15}"),
    "email": re.compile(r"@"),
    "birth_date": re.compile(r"born|birth|dob|d\.o\.b|geboren|geburt|nacimiento|naissance"),
}
"""Whatever the pattern of a rule finds has this in it, in lower case; most texts have none of it."""
_SIX_DIGITS = re.compile(r"\d(?:\D{0,4}\d){5}")
"""Whatever the patterns of the other rules find has this in it."""
_MACHINE_ID = re.compile(r"[a-z_]{0,40}[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id that a program has made, in which no pattern finds anything."""
_NAMES: dict[str, re.Pattern[str]] = {
    "email": re.compile(r"(?:^|_)e_?mail(?:_address)?$"),
    "phone": re.compile(r"(?:^|_)(?:phone|mobile|telephone|cell|fax)(?:_?(?:number|no|nr))?$|^tel$"),
    "card": re.compile(r"(?:^|_)(?:card|credit_card|pan)_?(?:number|no|nr)$"),
    "national_id": re.compile(
        r"(?:^|_)(?:ssn|social_security(?:_number)?|national_id|tax_id|passport(?:_number)?)$"
    ),
    "birth_date": re.compile(r"(?:^|_)(?:dob|date_of_birth|birth_?(?:date|day))$"),
}
"""Names of variables and fields whose whole value a rule masks."""
_IDENTIFIER = re.compile(r"[A-Za-z_]\w{0,30}", re.ASCII)
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SHORTEST = 3
"""Characters of a value that is also looked for in texts; a shorter one is a part of too many others."""
_MAX_CLEAN = 200
"""Characters of a text that is remembered as one in which nothing is masked."""
_MAX_CLEAN_TEXTS = 20_000
UNMASKED_FIELDS = frozenset({"timestamp", "created_at", "updated_at", "logical_id", "type"})
"""Fields of events that no person's data is in."""


@dataclass(frozen=True)
class MaskingOptions:
    """The rules of one export."""

    rules: frozenset[str] = frozenset(RULES)
    """Names of the rules that are on; none of them means that masking is off."""
    variables: tuple[str, ...] = ()
    """Names of variables whose values are masked wherever they are."""

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


@dataclass
class Masker:
    """Masks the texts and values of one run after the other.

    Args:
        options: The rules.
    """

    options: MaskingOptions
    counts: Counter[str] = field(default_factory=Counter)
    """How often each rule has masked something."""
    row_rules: set[str] = field(default_factory=set)
    """The rules that have masked something in the current row."""

    def __post_init__(self) -> None:
        self._own = self.options.rules
        self._listed = self.options.listed
        self._patterns = [
            (name, _PATTERNS[name], _HINTS.get(name))
            for name in RULES
            if name in self._own and name in _PATTERNS
        ]
        self._in_document = False
        self.plain_keys: set[str] = set()
        """Keys that are names, and no values."""
        self._rules: dict[str, str | None] = {}
        """The rules of names that were looked at."""
        self.begin_run()

    def begin_run(self) -> None:
        """Forget the values of the run before."""
        self._values: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None
        self.clean: set[str] = set()
        """Short texts in which nothing is masked; most texts of a run come again and again."""

    @property
    def has_values(self) -> bool:
        """Return whether values of variables are looked for in texts."""
        return bool(self._values)

    def is_masked_name(self, name: str) -> bool:
        """Return whether a rule masks fields of this name."""
        return self._rule_of(name) is not None

    def telling_name(self, names: Sequence[str]) -> str:
        """Return the first of nested names whose values a rule masks, else the last."""
        return next((name for name in names if self.is_masked_name(name)), names[-1])

    def learn(self, name: str, value: Any) -> None:
        """Mask the value of a variable in texts, if a rule applies.

        Args:
            name: The variable, or a dotted path to it.
            value: A JSON value; texts and numbers inside it count.
        """
        rule = self._rule_of(name)
        if rule is None:
            if isinstance(value, Mapping):
                for key, inner in value.items():
                    self.learn(str(key), inner)
            elif isinstance(value, list):
                for inner in value:
                    self.learn("", inner)
            return
        for text in texts_in(value):
            if len(text) >= _SHORTEST and text.lower() not in self._values:
                self._values[text.lower()] = rule
                self._known = None
                self.clean.clear()

    def mask(self, text: str) -> str:
        """Return a text with everything masked that a rule finds."""
        if not text or text in self.clean or self.options.is_off:
            return text
        masked = text
        if self._values:
            masked = self._known_pattern().sub(self._known_mark, masked)
        elif _MACHINE_ID.fullmatch(text):
            return text
        folded = masked.casefold()
        has_digits = _SIX_DIGITS.search(folded)
        for rule, pattern, hint in self._patterns:
            if hint.search(folded) if hint else has_digits:
                masked = pattern.sub(partial(self._replace, rule), masked)
        if masked == text and "://" not in text and len(text) <= _MAX_CLEAN:
            if len(self.clean) == _MAX_CLEAN_TEXTS:
                self.clean.clear()
            self.clean.add(text)
        return masked

    def mask_value(self, value: Any, name: str = "") -> Any:
        """Return a JSON value with everything masked that a rule finds.

        Args:
            value: The value.
            name: The name of the variable or field that holds it.
        """
        return value if self.options.is_off else self._walk(value, name)

    def mask_document(self, document: JsonObject) -> JsonObject:
        """Return a workflow with everything masked that a rule finds.

        Its schemas describe fields under the names that values have elsewhere, and stay as they are.
        """
        self._in_document = True
        try:
            masked: JsonObject = self.mask_value(document)
        finally:
            self._in_document = False
        return masked

    def mask_key(self, key: Any) -> Any:
        """Return a key of an object, which may be a value, too, with that masked."""
        if self.options.is_off or key.__class__ is not str or key in self.plain_keys:
            return key
        if not is_identifier(key):
            return self.mask(key)
        if len(self.plain_keys) < _MAX_CLEAN_TEXTS:
            self.plain_keys.add(key)
        return key

    def _own_key(self, key: Any, taken: Collection[Any]) -> Any:
        """Return a masked key that differs from those of the same object."""
        own = self.mask_key(key)
        while own in taken:
            own = f"{own}'"
        return own

    def _walk(self, value: Any, name: str) -> Any:
        kind = value.__class__
        if kind is dict:
            held = name if name and not self._in_document and self._rule_of(name) is not None else ""
            walked: dict[Any, Any] = {}
            for key, inner in value.items():
                own = key if key in self.plain_keys else self._own_key(key, walked)
                is_kept = inner is None or (not held and key in UNMASKED_FIELDS)
                walked[own] = inner if is_kept else self._walk(inner, held or key)
            return walked
        if kind is list:
            return [self._walk(inner, name) for inner in value]
        if kind is bool or value is None:
            return value
        if name and value != "":
            rule = self._rule_of(name)
            if rule is not None:
                return self._marked(rule)
        return self.mask(value) if kind is str else self._number(value)

    def _number(self, value: Any) -> Any:
        if self._values and (text := str(value).lower()) in self._values:
            return self._marked(self._values[text])
        is_long = value.__class__ is int and 10**12 <= value < 10**19
        return (
            self._marked("card") if is_long and "card" in self._own and has_check_digit(str(value)) else value
        )

    def _rule_of(self, name: str) -> str | None:
        """Return the rule that masks variables of this name."""
        try:
            return self._rules[name]
        except KeyError:
            found = _named_rule(name, self._listed)
            if len(self._rules) < _MAX_CLEAN_TEXTS:
                self._rules[name] = found if found in self._own else None
            return found if found in self._own else None

    def _marked(self, rule: str) -> str:
        self.counts[rule] += 1
        self.row_rules.add(rule)
        return MARKS[rule]

    def _known_pattern(self) -> re.Pattern[str]:
        if self._known is None:
            longest = sorted(self._values, key=len, reverse=True)
            whole = "|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in longest)
            self._known = re.compile(whole, re.IGNORECASE)
        return self._known

    def _known_mark(self, found: re.Match[str]) -> str:
        # Of a few letters, as İ, the pattern finds more forms than `lower` makes one of.
        return self._marked(self._values.get(found[0].lower(), "variable"))

    def _replace(self, rule: str, found: re.Match[str]) -> str:
        """Mask the part that the pattern names, else the whole match."""
        if rule in _CHECKS and not _CHECKS[rule](found[0]):
            return found[0]
        part = found.groupdict().get("part") or found[0]
        return found[0].removesuffix(part) + self._marked(rule)


def is_identifier(key: str) -> bool:
    """Return whether a key is a name, and no value."""
    return _IDENTIFIER.fullmatch(key) is not None


def has_check_digit(text: str) -> bool:
    """Return whether the digits of a text satisfy the Luhn formula."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return any(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_phone(text: str) -> bool:
    """Return whether a text of digits and separators is a phone number.

    A date or an IP address is none. Without a plus sign or separators it has at least nine digits, else
    seven.
    """
    digits = sum(each.isdigit() for each in text)
    is_marked = text.startswith(("+", "00", "(")) or any(each in " -./(" for each in text.strip())
    return not _NO_PHONE.fullmatch(text) and (7 if is_marked else 9) <= digits <= 15


_CHECKS: dict[str, Callable[[str], bool]] = {"card": has_check_digit, "phone": is_phone}
"""Functions that confirm what the pattern of a rule finds."""


def texts_in(value: Any) -> Iterable[str]:
    """Yield the texts and numbers in a JSON value, as texts."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _named_rule(name: str, listed: Collection[str]) -> str | None:
    spelled = _spelled(name)
    parts = spelled.split(".")
    if listed and any(each in listed for each in (spelled, *parts)):
        return "variable"
    return next((rule for rule, pattern in _NAMES.items() if pattern.search(parts[-1])), None)


def _spelled(name: str) -> str:
    return _WORD_ENDS.sub("_", name.strip()).replace("-", "_").replace(" ", "_").lower()
