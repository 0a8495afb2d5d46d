"""Effective values of the settings and their sources, as the help lists them."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr

from debugger.settings import HOSTED_PREFIX, PREFIX, SECRETS_FILE, Settings, environment_variables

_PUBLIC_TEXTS = frozenset({"author", "display_time_zone", "environment", "prices", "time_zone"})
"""Settings of any text whose values every user may read; of other texts only administrators read them."""
_USER = re.compile(r"(?<=//).*\?.*@.*|(?<=//)[^?]*(?=@)|(?<=\?).+")
"""User and password of a URL, and its parameters, which can hold a password too.

A password may have any character but @; where it may have a question mark, the whole address is taken.
"""
_NAME = re.compile(r"`([A-Z][A-Z0-9_]+)`")


class SettingValue(NamedTuple):
    """A setting with its value as shown, and the source of the value."""

    variable: str
    value: str
    source: str


def setting_values(settings: Settings, *, is_admin: bool) -> Iterator[SettingValue]:
    """Yield the settings with their effective values and sources.

    A secret is "set" or "not set". A text that may hold an address, a name or a path is "set" or "empty" but
    for an administrator, who reads it without user, password and parameters of a URL.

    Args:
        settings: The settings in effect.
        is_admin: Whether the user is an administrator.
    """
    sources = list(_sources())
    for model, prefix in ((settings, PREFIX), (settings.hosted, HOSTED_PREFIX)):
        for name in type(model).model_fields:
            if name == "hosted":
                continue
            variable = prefix + name.upper()
            source = next((label for label, names in sources if variable in names), "default")
            yield SettingValue(variable, _shown(model, name, is_admin=is_admin), source)


def other_value(variable: str) -> SettingValue:
    """Return whether a variable outside of the settings is set, and where.

    Its value is "set" or "not set", its source "environment", ".env" or "default"; an empty value counts as
    not set.
    """
    if os.environ.get(variable):
        return SettingValue(variable, "set", "environment")
    is_set = bool(environment_variables().get(variable))
    return SettingValue(variable, "set" if is_set else "not set", ".env" if is_set else "default")


def with_values(text: str, settings: Settings, *, is_admin: bool) -> str:
    """Return the document of the settings with values and sources in its table.

    Args:
        text: The Markdown, whose table has variables in its first column.
        settings: The settings in effect.
        is_admin: Whether the user is an administrator.
    """
    known = {each.variable: each for each in setting_values(settings, is_admin=is_admin)}
    lines = []
    for line in text.splitlines():
        if line.startswith("| variable |"):
            line = "| variable | value | source | default | meaning |"
        elif line.startswith("| --- | --- | --- |"):
            line = "| --- | --- | --- | --- | --- |"
        elif line.startswith("| `"):
            _, first, rest = line.split("|", 2)
            shown = [known.get(name) or other_value(name) for name in _NAME.findall(first)]
            values = ", ".join(each.value for each in shown)
            found = ", ".join(dict.fromkeys(each.source for each in shown))
            line = f"|{first}| {values} | {found} |{rest}"
        lines.append(line)
    return "\n".join(lines)


def _shown(model: BaseModel, name: str, *, is_admin: bool) -> str:
    """Return the value of a setting as a user may see it, in backticks unless it is one of the words below.

    A secret is "set" or "not set", an empty text or ``None`` is "empty", and a text outside of
    `_PUBLIC_TEXTS` is "set" but for an administrator. User, password and parameters of a URL become "…".
    """
    value: Any = getattr(model, name)
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "not set"
    if value in ("", None):
        return "empty"
    is_text = model.__class__.model_fields[name].annotation is str
    if is_text and name not in _PUBLIC_TEXTS and not is_admin:
        return "set"
    words = str(value).lower() if isinstance(value, bool) else _USER.sub("…", str(value))
    return f"`{words.replace('`', ' ').replace('|', '/')}`"


def _sources() -> Iterator[tuple[str, set[str]]]:
    """Yield each source with the variables that it sets, in reading order, their names in upper case.

    Environment, ``.env``, secrets folder and ``secrets.toml`` are all yielded; one that is missing sets
    nothing.
    """
    yield "environment", {name.upper() for name in os.environ}
    yield ".env", {name.upper() for name in environment_variables()}
    folder = Path(os.environ.get(f"{PREFIX}SECRETS_FOLDER", "/run/secrets"))
    yield "secrets folder", {file.name.upper() for file in folder.iterdir()} if folder.is_dir() else set()
    yield "secrets.toml", set(_toml_names())


def _toml_names() -> Iterator[str]:
    """Yield the variables that ``secrets.toml`` sets in its tables of settings, with their prefixes.

    None for a file that is missing, cannot be read or is no TOML.

    Raises:
        UnicodeDecodeError: The file is not UTF-8.
    """
    try:
        tables: Mapping[str, Any] = tomllib.loads(Path(SECRETS_FILE).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return
    for prefix in (PREFIX, HOSTED_PREFIX):
        table = tables.get(prefix.rstrip("_").lower())
        if isinstance(table, Mapping):
            yield from (prefix + str(name).upper() for name in table)
