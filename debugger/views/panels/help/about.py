"""Facts about this installation: version, data folder, and licences of what it uses."""

from __future__ import annotations

import platform
import re
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from debugger.settings import Settings, default_database_path

_PACKAGE = "workflow-debugger"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
_LONGEST = 60
"""Characters of a licence field; a longer one is its whole text."""


def facts_table(settings: Settings) -> str:
    """Return version, folders and platform as a Markdown table of two columns.

    A package that is not installed has the version "unknown"; a database that is not SQLite counts as
    PostgreSQL.
    """
    is_sqlite = settings.database_url.startswith("sqlite")
    rows = {
        "Version": _version(_PACKAGE),
        "Python": platform.python_version(),
        "Streamlit": _version("streamlit"),
        "System": f"{platform.system()} {platform.machine()}",
        "Database": "SQLite" if is_sqlite else "PostgreSQL",
        "Data folder": f"`{default_database_path().parent}`",
        "Scripts": f"`{settings.scripts_folder}`",
        "Scenarios": f"`{settings.scenarios_folder}`",
        "Documents of knowledge bases": f"`{settings.knowledge_folder}`",
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())])


@cache
def licences_table() -> str:
    """Return the installed packages that the app needs, with their licences, as a Markdown table.

    They are sorted by name; the answer is kept until the process ends. Without such packages it has only its
    head.
    """
    rows = [
        f"| {each.metadata['Name']} | {each.version} | {licence_of(each)} |"
        for each in sorted(_needed(), key=lambda each: each.metadata["Name"].lower())
    ]
    return "\n".join(["| Package | Version | Licence |", "| --- | --- | --- |", *rows])


def licence_of(package: Distribution) -> str:
    """Return the licence that a package names, in one line.

    It is the first of licence expression, classifiers and licence field that is not empty. Without one, or
    where its first line is longer than `_LONGEST` characters, it is "see its files"; a pipe becomes a slash.
    """

    def values(name: str) -> list[str]:
        return [str(each).strip() for each in package.metadata.get_all(name) or []]

    ends = [each.rpartition(" :: ")[2] for each in values("Classifier") if each.startswith("License ::")]
    classified = ", ".join(end for end in ends if end != "OSI Approved")
    named = next(filter(None, [*values("License-Expression"), classified, *values("License")]), "")
    line = named.partition("\n")[0].strip()
    return line.replace("|", "/") if line and len(line) <= _LONGEST else "see its files"


def _needed() -> list[Distribution]:
    """Return the installed packages that this one needs, and those that they need in turn, without itself.

    All extras of this package count but ``test``, no extra of another package. What is not installed is left
    out, as are all packages where this one is not installed.
    """
    found: dict[str, Distribution] = {}
    waiting = [_PACKAGE]
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            found[key] = distribution(name)
        except PackageNotFoundError:
            continue
        is_own = key == _PACKAGE
        for requirement in found[key].requires or []:
            extra, match = _EXTRA.search(requirement), _NAME.match(requirement)
            if match and (extra is None or (is_own and extra[1] != "test")):
                waiting.append(match[0])
    found.pop(_PACKAGE, None)
    return list(found.values())


def _version(name: str) -> str:
    try:
        return distribution(name).version
    except PackageNotFoundError:
        return "unknown"
