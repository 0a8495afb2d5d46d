"""Secrets, filled into what is sent and masked everywhere else."""

from __future__ import annotations

import base64
import json
import re
from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, quote_plus

from debugger.engine.outbound.destinations import AllowedHost, Destination, ascii_host
from debugger.errors import InputError, RunError
from debugger.expressions import Scope
from debugger.expressions.limits import time_limit
from debugger.expressions.template import RenderBudget
from debugger.protocol.json_codec import encode

MARK = "***"
"""The mark that replaces a secret."""
HOSTS_SETTING = "WORKFLOW_DEBUGGER_SECRET_HOSTS_"
"""The environment variable that lists the hosts of a secret, without the secret's name."""
_MIN_HIDDEN, _MIN_HIDDEN_LETTERS = 6, 16
"""Characters of a secret that is masked in every event, and of one of letters alone. A shorter one is a part
of too many other texts, such as the names of types and fields."""
_URL_SAFE = str.maketrans("+/", "-_")
_LOWER_ESCAPE = re.compile(r"%[0-9A-F]{2}")


@dataclass(frozen=True)
class MaskedValue:
    """A value in two forms: as sent, and as displayed."""

    real: Any = field(repr=False)
    """For the wire alone."""
    masked: Any
    """For events, the ledger, errors and logs."""
    unresolved: tuple[str, ...] = ()
    """Placeholders that nothing filled, as they were written."""
    secret_names: frozenset[str] = frozenset()
    """The secrets that were filled in."""

    @property
    def holds_secret(self) -> bool:
        """Return whether the two differ."""
        return bool(self.real != self.masked)


class RequestBudget:
    """The length limit of one request, for its sent and masked texts.

    Args:
        warnings: Receives a sentence for each placeholder that stayed because it costs too much.
    """

    def __init__(self, warnings: list[str]) -> None:
        self.real = RenderBudget(warnings)
        self.masked = RenderBudget([])


@contextmanager
def request_budget(warnings: list[str]) -> Iterator[RequestBudget]:
    """Limit the length of a request and the time of filling it.

    Raises:
        InputError: The request exceeds a limit.
    """
    with time_limit:
        try:
            yield RequestBudget(warnings)
        except RunError as error:
            raise InputError(error.message, advice=error.advice) from error


class Secrets:
    """The secrets of a run, by name.

    A placeholder ``{{NAME}}`` means a secret where no dynamic variable has that name. Texts that reach a
    node in another way than through these methods keep the placeholder as it is written.

    Args:
        values: Values by name; blank ones count as not there.
        hosts: The hosts that a secret may be sent to besides those that a workflow's author wrote, by name.

    Source: ``platform.md#secrets``.
    """

    def __init__(
        self,
        values: Mapping[str, str] | None = None,
        hosts: Mapping[str, Sequence[AllowedHost]] | None = None,
    ) -> None:
        """Leave out blank values, and prepare the spellings to be masked.

        Those that are recognizable are prepared apart, for `hide`.
        """
        self._values = {name: value for name, value in (values or {}).items() if value.strip()}
        self._hosts = dict(hosts or {})
        self._marks = dict.fromkeys(self._values, MARK)
        self._written = _spellings(self._values.values())
        self._written_bytes = [written.encode("utf-8", "surrogatepass") for written in self._written]
        hidden = {name: value for name, value in self._values.items() if is_recognizable(value.strip())}
        self._hidden = self if len(hidden) == len(self._values) else Secrets(hidden)
        in_json = [re.escape(encode(written)[1:-1]) for written in self._hidden._written]
        self._hidden_in_json = re.compile(b"|".join(in_json)) if in_json else None
        self.can_hide = bool(in_json)
        """Whether there is a secret that `hide` looks for."""

    def __repr__(self) -> str:
        return f"Secrets({sorted(self._values)})"

    def of_length(self, characters: int) -> Secrets:
        """Return the secrets of at least so many characters: shorter ones are part of many texts."""
        return Secrets({name: value for name, value in self._values.items() if len(value) >= characters})

    def get(self, name: str) -> MaskedValue | None:
        """Return a secret by its name."""
        value = self._values.get(name)
        return None if value is None else MaskedValue(value, MARK, secret_names=frozenset({name}))

    def refusal(
        self,
        names: Collection[str],
        destination: Destination | None,
        authored: Destination | None,
        target: str,
        masked_url: str,
    ) -> str:
        """Return why a request with secrets must not be sent.

        Empty where it may be. A secret goes to the destination that the workflow's author wrote, and to the
        hosts of its own list.

        Args:
            names: The secrets in the request.
            destination: Where the request would go; ``None`` for a host that cannot be compared.
            authored: Where it goes with the workflow's own defaults alone; ``None`` where those give no host.
            target: The request for the user: method and URL, secrets masked.
            masked_url: Its URL, secrets masked.
        """
        if not names or (destination is not None and authored is not None and authored.covers(destination)):
            return ""
        for name in sorted(names):
            allowed = self._hosts.get(name, ())
            if destination is None or not any(host.allows(destination) for host in allowed):
                host = "a malformed host" if destination is None else destination.as_masked(masked_url)
                return (
                    f"{target} was not called: the secret {name!r} must not be sent to {host}. Neither did "
                    "the author of the workflow write that host there, nor is it on the secret's own list. "
                    f"Write it into the workflow, or add it to {HOSTS_SETTING}{name}."
                )
        return ""

    def fill(self, text: str, scope: Scope, budget: RequestBudget, *, is_json: bool = False) -> MaskedValue:
        """Return a text, also one of JSON, with variables and secrets filled in, and its masked form.

        Placeholders without a value stay, and are in ``unresolved``.

        Raises:
            RunError: It exceeds the budget, or takes too long.
        """
        uses = _Uses(self._values)
        real = budget.real.fill(text, _with(scope, uses), is_json=is_json)
        masked = real
        if self._values:
            masked = budget.masked.fill(text, _with(scope, self._marks), is_json=is_json)
        return MaskedValue(real.text, self.mask(masked.text), real.unresolved, frozenset(uses.names))

    def fill_value(self, value: Any, scope: Scope, budget: RequestBudget) -> MaskedValue:
        """Fill variables and secrets into the texts of a JSON value.

        Raises:
            RunError: As for a text.
        """
        unresolved: list[str] = []
        filled = self.fill_with(scope, lambda seen, part: _filled(value, seen, part, unresolved), budget)
        return replace(filled, unresolved=tuple(dict.fromkeys(unresolved)))

    def fill_with(
        self, scope: Scope, make: Callable[[Scope, RenderBudget], Any], budget: RequestBudget
    ) -> MaskedValue:
        """Call a function with the secrets as variables, and with marks.

        Raises:
            RunError: As for a text.
        """
        uses = _Uses(self._values)
        real = make(_with(scope, uses), budget.real)
        masked = self.mask_value(make(_with(scope, self._marks), budget.masked)) if self._values else real
        return MaskedValue(real, masked, secret_names=frozenset(uses.names))

    def mask(self, text: str) -> str:
        """Mask the secrets in a text, also spelled for URL, JSON, base64.

        Python's own quotes count, too.
        """
        for written in self._written:
            text = text.replace(written, MARK)
        return text

    def mask_bytes(self, data: bytes) -> bytes:
        """Return the same for bytes."""
        for written in self._written_bytes:
            data = data.replace(written, MARK.encode())
        return data

    def mask_value(self, value: Any) -> Any:
        """Return a copy of a JSON value with the secrets in it masked, keys included.

        A number that is spelled like a secret is masked, too; without secrets it is the value itself.
        """
        if not self._written:
            return value
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask(str(key)): self.mask_value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_value(inner) for inner in value]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return MARK if is_number and str(value) in self._written else value

    def hide(self, value: Any) -> Any:
        """Mask the recognizable secrets in a JSON value of an event.

        Without any in it the value itself is returned; a part that is nested too deep becomes a text.
        """
        if self._hidden_in_json is None or value is None or not self._hidden_in_json.search(encode(value)):
            return value
        if not isinstance(value, Mapping):
            return self._hidden_value(value)
        return {self._hidden.mask(str(key)): self._hidden_value(inner) for key, inner in value.items()}

    def _hidden_value(self, value: Any) -> Any:
        try:
            return self._hidden.mask_value(value)
        except RecursionError:  # nested too deep to be rebuilt, so it is left as a text
            return self._hidden.mask(encode(value).decode())


class _Uses(Mapping[str, str]):
    """The secrets as variables that note which of them are read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        value = self._values[name]
        self.names.add(name)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _with(scope: Scope, secrets: Mapping[str, str]) -> Scope:
    if not secrets:
        return scope
    # Only read, so neither needs to be mutable or copied.
    return replace(scope, dynamic=ChainMap(scope.dynamic, secrets))  # type: ignore[arg-type]


def _filled(value: Any, scope: Scope, budget: RenderBudget, unresolved: list[str]) -> Any:
    """Return a copy of a JSON value with its texts filled in, keys unchanged.

    Placeholders that nothing filled are added to ``unresolved``.
    """
    if isinstance(value, str):
        filled = budget.fill(value, scope)
        unresolved += filled.unresolved
        return filled.text
    if isinstance(value, Mapping):
        return {key: _filled(inner, scope, budget, unresolved) for key, inner in value.items()}
    return [_filled(each, scope, budget, unresolved) for each in value] if isinstance(value, list) else value


def is_recognizable(value: str) -> bool:
    """Return whether a secret is long enough to be masked wherever it occurs."""
    return len(value) >= (_MIN_HIDDEN_LETTERS if value.replace("_", "").isalpha() else _MIN_HIDDEN)


def _spellings(values: Iterable[str]) -> list[str]:
    """Return the spellings of secrets in JSON, Python, URLs and base64, longest first, so no rest remains."""
    found = set()
    for value in values:
        in_json = {encode(value).decode()[1:-1], json.dumps(value)[1:-1]}
        in_json |= {
            written for text in in_json for written in (json.dumps(text)[1:-1], encode(text).decode()[1:-1])
        }
        # Where a text has quotes of both kinds, Python escapes one.
        in_python = {repr(value)[1:-1], repr(f"{value}'\"")[1:-4]}
        found |= {value.strip(), *in_json, *in_python, *_in_base64(value)}
        lower = value.strip().lower()
        for spelling in filter(None, (value, lower, ascii_host(lower))):
            escaped = {
                quote(spelling, safe="", errors="replace"),
                quote(spelling, errors="replace"),
                quote_plus(spelling, errors="replace"),
            }
            in_lower = {_LOWER_ESCAPE.sub(lambda escape: escape[0].lower(), each) for each in escaped}
            found |= {spelling, *escaped, *in_lower}
    return sorted(found, key=len, reverse=True)


def _in_base64(value: str) -> Iterator[str]:
    """Yield a value in base64, by itself and where other bytes are around it, as in ``user:password``.

    Around other bytes a spelling of fewer than six digits is left out.
    """
    data = value.encode("utf-8", "surrogatepass")
    yield base64.b64encode(data).decode().rstrip("=")
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data).decode()
        # The first and the last digit have bits of what is around, too.
        own = whole[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        if len(own) >= _MIN_HIDDEN:
            yield from {own, own.translate(_URL_SAFE)}
