"""Variables of an inner workflow that stand for one of the outer workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from debugger.expressions.limits import path_problem
from debugger.expressions.placeholders import Placeholder, placeholders

Aliases = Mapping[str, Placeholder]
"""By the name of a dynamic variable the reference that a super node gives for it."""

_NAME = re.compile(r"[^.\[\]]+")
_BRACKETS = {"dynamic": ("{{", "}}"), "runtime": ("[[", "]]")}


def reference_in(value: Any) -> Placeholder | None:
    """The reference that a value is, from its first character to its last and without a filter, or ``None``.

    A variable's value is not filled in again, so ``{{phone}}`` given for ``caller`` would stay as it is
    written. Inner texts are given ``{{phone}}`` in place of ``{{caller}}`` instead.
    """
    if not isinstance(value, str):
        return None
    found = placeholders(value.strip())
    is_all = len(found) == 1 and found[0].text == value.strip()
    is_plain = is_all and found[0].expression == found[0].path and not path_problem(found[0].path)
    return found[0] if is_plain else None


def written_out(placeholder: Placeholder, aliases: Aliases) -> str:
    """A reference of an inner workflow as it is written outside: ``{{phone.home | upcase}}``."""
    name = _NAME.match(placeholder.path)
    alias = aliases.get(name[0]) if name and placeholder.namespace == "dynamic" else None
    if name is None or alias is None:
        return placeholder.text
    path = alias.path + placeholder.path[name.end() :]
    opening, closing = _BRACKETS[alias.namespace]
    return opening + placeholder.expression.replace(placeholder.path, path, 1) + closing


def path_outside(path: str, aliases: Aliases) -> str:
    """The same for a path without brackets that is looked up among the dynamic variables."""
    name = _NAME.match(path)
    alias = aliases.get(name[0]) if name else None
    is_dynamic = alias is not None and alias.namespace == "dynamic"
    return alias.path + path[name.end() :] if name and alias and is_dynamic else path
