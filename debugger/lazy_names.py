"""Names of a package that are imported on their first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package (PEP 562) that imports its public names on use.

    A program that uses one module of the package then does not wait for the others, and no module that
    another one of the package imports can meet it half made. ``help(package)`` imports all.

    Args:
        package: The package's ``__name__``.
        homes: The module of each name.
    """
    own = sys.modules[package]

    def find(name: str) -> Any:
        """Import a name's module, keep the name in the package, and return its value.

        Raises `AttributeError` for an unlisted name, or one that its module lacks.
        """
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(own, name, value)
        return value

    return find, lambda: sorted({*vars(own), *homes})
