"""The one place that decides what of a value leaves the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import regex

from debugger.boundary.kinds import FIELDS, GRAPH_FIELDS, PLAIN, Kind
from debugger.boundary.redaction import (
    HEADERS,
    is_secret_name,
    mark_all,
    mask_address,
    names_in,
    redact_text,
    shown_headers,
)
from debugger.boundary.rules import (
    ALL_MARKS,
    MARKS,
    MaskingOptions,
    TextRules,
    named_rule,
    opaque_pattern,
    texts_in,
)
from debugger.engine.outbound.known_secrets import KNOWN_SECRETS
from debugger.engine.outbound.secrets import MARK
from debugger.protocol.base import SECRET_VARIABLES

_IDENTIFIER = regex.compile(r"[A-Za-z_]\w{0,30}", regex.ASCII)
_WORD = regex.compile(
    r"[A-Za-z_]{0,40}|[+-]?\d{0,20}(?:\.\d{0,20})?"
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z| ?[+-]\d\d:?\d\d)?)?",
    regex.ASCII,
)
"""A text that a time, a number or a flag has."""
_MAX_REMEMBERED = 20_000
_MAX_CLEAN = 200
"""Characters of a short text: it is remembered as one in which nothing is masked."""
_MAX_LONG = 500_000
"""Characters of the longer texts that are remembered so: a remark on a run may be in each of its rows."""
_OPAQUE = opaque_pattern([*MARKS.values(), MARK])
_SCALARS = frozenset({str, int, float, bool, type(None)})
_NUMBERS = frozenset({int, float})
_DROPPED = object()


@dataclass
class Boundary:
    """Masks what leaves the process, one run after the other.

    Args:
        options: The masking rules that are on.
        counts: How often each rule has masked something.
    """

    options: MaskingOptions = field(default_factory=MaskingOptions)
    counts: Counter[str] = field(default_factory=Counter)
    row_rules: set[str] = field(default_factory=set)
    """The rules that have masked something in the current row."""

    def __post_init__(self) -> None:
        """Make the rules, caches and functions by kind from the options, and begin a run without names."""
        self._listed = self.options.listed
        self._is_off = self.options.is_off
        self._name_rules = TextRules(self.options.rules, str)
        self._changed_names: dict[str, bool] = {}
        self._named: dict[str, str | None] = {}
        """The rules of names that were looked at."""
        self._plain_keys: set[str] = set()
        """Keys that are names, and no values."""
        self._plain_names: set[str] = set()
        """Names of fields that mean nothing to secrets and rules."""
        self._version = KNOWN_SECRETS.version
        self._release: dict[Kind, Callable[[Any, str], Any]] = {
            **{kind: partial(self._plain, kind) for kind in PLAIN},
            Kind.ADDRESS: lambda value, _: release_address(value),
            Kind.TEXT: lambda value, _: self._text(value),
            Kind.VALUE: self._named_value,
            Kind.CHANGES: lambda value, _: type(value)(map(self._change, value)),
            Kind.RECORD: self._record,
            Kind.REMARKS: lambda value, _: "".join(map(self._remark, value)),
            Kind.DOCUMENT: lambda value, _: self._document(value),
        }
        self._clean: set[str] = set()
        """Texts in which nothing is masked; most texts of a run come again and again."""
        self._plain_texts: set[str] = set()
        """Ids, names and words of other kinds that rules do not apply to, and that hold no secret."""
        self._fields = {name: (kind in PLAIN, self._release[kind]) for name, kind in FIELDS.items()}
        self.begin_run()

    def begin_run(self, names: Iterable[str] = ()) -> None:
        """Forget the values of the run before.

        Args:
            names: What the author of the workflow has named; it is kept in texts.
        """
        self._rules = TextRules(self.options.rules, self._marked)
        self._forget_texts()
        self._names = frozenset(name for name in names if not self._is_off and self._is_changed(name))
        """Names of the workflow in which a rule finds something."""
        self._opaque = opaque_pattern([*MARKS.values(), MARK], self._names) if self._names else _OPAQUE

    def release(self, kind: Kind, value: Any, name: str = "") -> Any:
        """Return what of a value may leave the process; the same object where nothing is masked.

        ``None`` stays ``None``. The value is not changed: what is masked is in a copy. Headers and changes
        are always copies. `counts` and `row_rules` note each mark of a rule, not those of secrets.

        Args:
            kind: What the value is.
            value: A JSON value.
            name: The variable or field that holds a value, or the dotted path to it.
        """
        if self._version != KNOWN_SECRETS.version:
            self._note_secrets()
        return value if value is None else self._release[kind](value, name)

    def row_releaser(self, kinds: Mapping[int, Kind]) -> Callable[[list[Any]], None]:
        """Return a function that releases values of rows in place, by the kinds at their places.

        It changes the row that it gets. It makes no call for a value that was seen before: tables have
        millions.
        """
        release, none = self.release, frozenset({type(None)})
        cells = [
            (at, kind, *((self._plain_texts, _SCALARS) if kind in PLAIN else (self._clean, none)))
            for at, kind in kinds.items()
        ]

        def release_row(row: list[Any]) -> None:
            """Replace the values of a row at the places of the kinds by what may leave the process."""
            if self._version != KNOWN_SECRETS.version:
                self._note_secrets()
            for at, kind, known, clean in cells:
                value = row[at]
                cls = value.__class__
                if value not in known if cls is str else cls not in clean:
                    row[at] = release(kind, value)

        return release_row

    def register(self, name: str, value: Any) -> None:
        """Mask the value of a variable from now on in the texts of this run, if a rule applies to its name.

        Where none does, the fields of an object and the items of a list are registered in its place, by their
        own names. Nothing happens where all rules are off.

        Args:
            name: The variable, or a dotted path to it.
            value: A JSON value; texts and numbers inside it count.
        """
        if self._is_off:
            return
        rule = self._telling_rule(name)
        if rule is None:
            if isinstance(value, Mapping):
                for key, inner in value.items():
                    self.register(str(key), inner)
            elif isinstance(value, list):
                for inner in value:
                    self.register("", inner)
            return
        for text in texts_in(value):
            if self._rules.values.add(text, rule):
                self._forget_texts()

    def _note_secrets(self) -> None:
        self._version = KNOWN_SECRETS.version
        self._plain_keys.clear()
        self._forget_texts()

    def _forget_texts(self) -> None:
        self._room = _MAX_LONG
        self._clean.clear()
        self._plain_texts.clear()

    def release_path(self, path: str) -> str:
        """Return the dotted path of a variable; keys of values in it may be masked."""
        return ".".join(map(self._key, str(self._key(path)).split(".")))

    # Texts

    def _text(self, value: Any) -> Any:
        if value.__class__ is not str:
            return self._value(value, "")
        return value if value in self._clean else self._masked(value)

    def _masked(self, text: str) -> str:
        """Return a text with secrets and what rules find masked; remember one in which nothing is."""
        masked = release_line(text)
        if not self._is_off:
            is_whole = not self._names and "[" not in masked and MARK not in masked
            masked = self._rules.mask(masked, None if is_whole else self._opaque)
        if masked == text and len(text) <= max(_MAX_CLEAN, self._room):
            if len(self._clean) >= _MAX_REMEMBERED:
                self._forget_texts()
            if len(text) > _MAX_CLEAN:
                self._room -= len(text)
            self._clean.add(text)
            return text
        return masked

    def _is_changed(self, name: str) -> bool:
        """Return whether a rule finds anything in a name; it is not counted."""
        if name not in self._changed_names:
            self._changed_names[name] = self._name_rules.mask(name, None) != name
        return self._changed_names[name]

    def _marked(self, rule: str) -> str:
        self.counts[rule] += 1
        self.row_rules.add(rule)
        return MARKS[rule]

    # Values of kinds that rules do not apply to

    def _plain(self, kind: Kind, value: Any, name: str) -> Any:
        """Return a value of a kind without rules, with only its secrets masked.

        A text in place of a time, number or flag gets the rules of texts, and so does an object. Lists are
        released item by item; numbers, flags and ``None`` stay.
        """
        cls = value.__class__
        if cls is str:
            if value in self._plain_texts:
                return value
            if kind in _OF_DIGITS and not _WORD.fullmatch(value):
                return self._text(value)  # of a server that writes something else there
            shown = release_line(value)
            if shown != value:
                return shown
            if len(self._plain_texts) < _MAX_REMEMBERED:
                self._plain_texts.add(value)
            return value
        if cls is list:
            return self._list(value, partial(self._plain, kind, name=name))
        return self._value(value, "") if cls is dict else value

    # JSON values

    def _named_value(self, value: Any, name: str) -> Any:
        """Return a value masked by the names in the dotted path to it; without a name as any other value.

        A secret's name masks all of it, the name of headers those that are secret, and else the first rule
        that applies to one of the names the whole value.
        """
        if not name:
            return self._value(value, "")
        names = names_in(name)
        if names[-1] in HEADERS and isinstance(value, Mapping):
            return self._headers(value)
        if len(names) > 1 and names[-2] in HEADERS and isinstance(value, str):
            return shown_headers({names[-1]: self._text(value)})[names[-1]]
        if any(map(is_secret_name, names)):
            value = mark_all(value)
        return self._value(value, next((rule for each in names if (rule := self._rule_of(each))), ""))

    def _value(self, value: Any, rule: str, *, is_schema: bool = False) -> Any:
        """Return a JSON value with its texts and numbers masked.

        Parts without headers in which nothing is masked are the same objects.

        Args:
            value: The value.
            rule: The rule that masks each text and number in it as a whole; empty for none. Truth values are
                masked by the rule ``variable`` alone, and what is empty or a mark already stays.
            is_schema: Whether it is part of a workflow, in which names of fields tell no rule.
        """
        kind = value.__class__
        if kind is str:
            if rule and value != "" and not is_schema:
                return value if value == MARK or value in ALL_MARKS else self._marked(rule)
            return value if value in self._clean else self._masked(value)
        if kind is dict:
            return self._object(value, rule, is_schema=is_schema)
        if kind is list:
            return self._list(value, partial(self._value, rule=rule, is_schema=is_schema))
        if kind in _NUMBERS:
            return self._number(value, rule)
        if kind is bool:  # what the other rules mask is no truth value
            return self._marked(rule) if rule == "variable" and not is_schema else value
        if isinstance(value, Mapping):
            return self._object(dict(value), rule, is_schema=is_schema)
        return value

    def _number(self, value: Any, rule: str) -> Any:
        known = self._rules.values.rule_of(str(value)) if value and self._rules.values else None
        if known or rule:
            return self._marked(known or rule)
        return MARK if KNOWN_SECRETS and _without_secrets(str(value)) == MARK else value

    def _list(self, value: list[Any], release: Callable[[Any], Any]) -> list[Any]:
        items = [release(inner) for inner in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items

    def _object(self, value: dict[str, Any], rule: str, *, is_schema: bool = False) -> Any:
        """Return an object with keys and values masked, without secret variables.

        It is the same object where nothing is masked and it has no headers.
        """
        if not value.keys() <= self._plain_keys:
            value = self._with_keys(value)
        changed: dict[str, Any] = {}
        for key, inner in value.items():
            if is_schema and key in GRAPH_FIELDS and inner.__class__ is str:
                new = self._plain(GRAPH_FIELDS[key], inner, "")
            elif key in self._plain_names and not rule:
                if not inner or (inner.__class__ is str and inner in self._clean):
                    continue
                new = self._value(inner, "", is_schema=is_schema)
            else:
                new = self._field(key, inner, rule, is_schema=is_schema)
            if new is not inner:
                changed[key] = new
        return _merged(value, changed)

    def _field(self, key: str, value: Any, rule: str, *, is_schema: bool) -> Any:
        """Return the value of a field, masked by the field's name and the rule of the object around it.

        ``_DROPPED`` stands for the field of secret variables, which is left out; ``None`` stays ``None``.
        """
        if key == SECRET_VARIABLES:
            return _DROPPED
        if value is None:
            return None
        if key in HEADERS and isinstance(value, Mapping):
            return self._headers(value)
        if is_secret_name(key):
            return self._value(mark_all(value), rule, is_schema=is_schema)
        own = "" if is_schema else self._rule_of(key) or ""
        if not own and key not in HEADERS and len(key) < 64 and len(self._plain_names) < _MAX_REMEMBERED:
            self._plain_names.add(key)
        return self._value(value, rule or own, is_schema=is_schema)

    def _headers(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: self._value(inner, self._rule_of(str(key)) or "")
            for key, inner in self._with_keys(shown_headers(value)).items()
        }

    def _document(self, value: Any) -> Any:
        return self._value(value, "", is_schema=True)

    # Keys

    def _with_keys(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return an object whose keys are masked; those that became equal differ by an apostrophe.

        It is the same object where no key changes; the values are not masked here.
        """
        keys: dict[str, str] = {}
        for key in value:
            new = self._key(key)
            while new in keys:
                new = f"{new}'"
            keys[new] = key
        return value if list(keys) == list(value) else {new: value[old] for new, old in keys.items()}

    def _key(self, key: Any) -> Any:
        """Return a key masked by the rules; of an identifier or a known name only secrets are masked.

        A key that is no text stays. Identifiers without secrets are remembered.
        """
        if key.__class__ is not str or key in self._plain_keys:
            return key
        is_name = _IDENTIFIER.fullmatch(key) is not None
        if not is_name and key not in self._names:
            return self._text(key)
        shown = _without_secrets(key)
        if is_name and shown == key and len(self._plain_keys) < _MAX_REMEMBERED:
            self._plain_keys.add(key)
        return shown

    def _rule_of(self, name: str) -> str | None:
        """Return the rule that masks variables of this name; ``None`` without one, or where it is off."""
        try:
            return self._named[name]
        except KeyError:
            rule = named_rule(name, self._listed)
            rule = rule if rule in self.options.rules else None
            if len(self._named) < _MAX_REMEMBERED:
                self._named[name] = rule
            return rule

    def _telling_rule(self, path: str) -> str | None:
        return next((rule for name in names_in(path) if (rule := self._rule_of(name))), None)

    # Records

    def _record(self, value: Any, name: str) -> Any:
        """Return an object of the wire with each field released by its kind in `FIELDS`.

        A field without a kind is released by its name. Of a list each item is a record; anything else is
        released as a value. Parts without headers in which nothing is masked are the same objects.
        """
        kind = value.__class__
        if kind is list:
            return self._list(value, partial(self._record, name=name))
        if kind is not dict:
            return self._value(value, "")
        changed: dict[str, Any] = {}
        value = value if value.keys() <= self._plain_keys else self._with_keys(value)
        fields, clean, plain_texts = self._fields, self._clean, self._plain_texts
        for key, inner in value.items():
            kind = inner.__class__
            found = fields.get(key)
            if found is None:
                if key not in self._plain_names:
                    new = self._field(key, inner, "", is_schema=False)
                elif not inner or (kind is str and inner in clean):
                    continue
                else:
                    new = self._value(inner, "")
            elif not inner or (
                inner in (plain_texts if found[0] else clean)
                if kind is str
                else found[0] and kind in _SCALARS
            ):
                continue
            else:
                new = found[1](inner, "")
            if new is not inner:
                changed[key] = new
        return _merged(value, changed)

    def _remark(self, remark: tuple[str, str, str]) -> str:
        lead, text, tail = remark
        return f"{self._plain(Kind.NAME, lead, '')}{self._text(text)}{self._plain(Kind.NAME, tail, '')}"

    def _change(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of a variable's change with path and values masked, the values by that path."""
        scope, dot, path = change["path"].partition(".")
        sides = {
            side: None if change[side] is None else self._named_value(change[side], path or scope)
            for side in ("before", "after")
        }
        return {**change, "path": f"{scope}{dot}{self.release_path(path)}", **sides}


_OF_DIGITS = frozenset({Kind.TIME, Kind.NUMBER, Kind.FLAG})


def _merged(value: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    if not changed:
        return value
    return {key: inner for key, inner in (value | changed).items() if inner is not _DROPPED}


SECRETS_ONLY = MaskingOptions(frozenset())
"""Options without any rule."""


def release_line(text: str) -> str:
    """Return a line of a log, or a sentence to a user or a client, without secrets."""
    return redact_text(_without_secrets(text))


def release_address(address: str) -> str:
    """Return a URL, or the path of a request, without secrets."""
    return _without_secrets(mask_address(address))


def _without_secrets(text: str) -> str:
    return KNOWN_SECRETS.mask(text) if KNOWN_SECRETS else text
