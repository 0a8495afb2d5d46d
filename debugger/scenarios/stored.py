"""The scenarios of a suite: those that users store, and those of a folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

from debugger.errors import InputError
from debugger.exports.file_names import plain_name
from debugger.protocol.natural_order import natural_key
from debugger.scenarios.archives import write_archive
from debugger.scenarios.editing import read_plain, rewrite
from debugger.scenarios.loading import SUFFIX, LoadedScenario, find_scenarios, load_scenario, load_text
from debugger.scenarios.suite import Case, cases_of, stable_path
from debugger.store.edited_tables import Stored
from debugger.store.scenarios import StoredScenario, StoredScenarios, Writer

STORED = Path("stored")
"""The file of stored scenarios in the ids of results; no file of a folder has this name."""

_OF_RESULTS = re.compile(r"\[(?:row|version) \d+\]$")
"""The end of the id of a result, which no name of a stored scenario may look like."""
_KEPT = 4_000
"""Stored texts whose content is kept in memory: the page reads them whenever it is drawn."""


@dataclass(frozen=True)
class SuiteScenario:
    """One scenario of a suite."""

    name: str
    """The name as `tidied` has it; of one that cannot be read the name of its file, or that in the store."""
    stored: StoredScenario | None
    """As it is stored; ``None`` of one of the folder, which is only read."""
    path: Path | None
    """The file in the folder; ``None`` of a stored one."""
    text: str
    cases: list[Case] = field(default_factory=list, repr=False)
    """One for each row; none where it has mistakes."""
    mistakes: str = ""
    """Why it cannot be run, a line for each."""

    @property
    def source(self) -> str:
        """Return where it is: the author of a stored one, or the name of its file."""
        return self.path.name if self.path is not None else self.stored.author if self.stored else ""

    @property
    def file_name(self) -> str:
        """Return the name of its file, as it is downloaded."""
        return self.path.name if self.path is not None else file_name(self.name)

    @property
    def ids(self) -> list[str]:
        """Return the ids of its rows; of one with mistakes a single one of its own."""
        return [case.id for case in self.cases] or [f"{(self.path or STORED).as_posix()}::{self.name}"]

    @property
    def tags(self) -> list[str]:
        """Return its tags."""
        return self.cases[0].loaded.scenario.tags if self.cases else []


@dataclass(frozen=True)
class Suite:
    """The scenarios of store and folder, in one list."""

    scenarios: list[SuiteScenario] = field(default_factory=list)
    """Those of the store first, each by name."""

    @cached_property
    def cases(self) -> list[Case]:
        """The cases that can be run."""
        return [case for each in self.scenarios for case in each.cases]

    @property
    def tags(self) -> list[str]:
        """Return the tags of all scenarios, sorted."""
        return sorted({tag for each in self.scenarios for tag in each.tags}, key=natural_key)

    @property
    def mistakes(self) -> list[str]:
        """Return the mistakes of scenarios that cannot be run, each once."""
        return list(dict.fromkeys(each.mistakes for each in self.scenarios if each.mistakes))

    def tagged(self, tag: str) -> list[Case]:
        """Return the cases with a tag; all without one."""
        return [case for case in self.cases if not tag or tag in case.scenario.tags]

    @cached_property
    def in_store(self) -> dict[str, StoredScenario]:
        """The stored scenarios by name."""
        return {each.name: each.stored for each in self.scenarios if each.stored is not None}

    @cached_property
    def in_folder(self) -> dict[str, str]:
        """The names of the scenarios of the folder, with those of their files."""
        return {each.name: each.source for each in self.scenarios if each.path is not None}

    def of_id(self, own: str) -> SuiteScenario | None:
        """Return the scenario with an id; ``None`` of one that is gone."""
        return next((each for each in self.scenarios if own in each.ids), None)


def read_suite(stored: Iterable[StoredScenario], folder: Path) -> Suite:
    """Return the scenarios of store and folder.

    A name that is in both is a mistake of both: which of them is meant nobody can tell.

    Args:
        stored: The scenarios of the store.
        folder: The folder, which need not exist.
    """
    scenarios = [*map(_of_store, stored), *_of_folder(folder)]
    in_store = {each.name for each in scenarios if each.stored is not None}
    files: dict[str, list[SuiteScenario]] = {}
    for each in scenarios:
        if each.path is not None and each.name in in_store:
            files.setdefault(each.name, []).append(each)
    twice = {
        name: f"The name {name!r} is that of a stored scenario and of "
        f"{' and '.join(each.source for each in found)}. Rename or delete one of them; neither is run."
        for name, found in files.items()
    }
    return Suite(
        [
            replace(each, cases=[], mistakes=twice[each.name]) if each.name in twice else each
            for each in scenarios
        ]
    )


def _of_store(stored: StoredScenario) -> SuiteScenario:
    """Return a stored scenario with its cases; where it has mistakes, with these and without cases."""
    try:
        cases = list(cases_of(_read_kept(stored.text, stored.name)))
    except InputError as error:
        return SuiteScenario(stored.name, stored, None, stored.text, mistakes=error.message)
    return SuiteScenario(stored.name, stored, None, stored.text, cases)


def _of_folder(folder: Path) -> Iterator[SuiteScenario]:
    """Yield the scenarios of a folder and of those below it; none where there is no folder.

    One with mistakes has its file's name, and no cases.
    """
    files = find_scenarios([folder]) if folder.is_dir() else []
    for file in sorted(files, key=lambda each: natural_key(each.as_posix())):
        path = stable_path(file)
        try:
            loaded = load_scenario(path)
        except InputError as error:
            name = path.name.removesuffix(SUFFIX)
            yield SuiteScenario(name, None, path, "", mistakes=error.message)
        else:
            yield SuiteScenario(tidied(loaded.scenario.name), None, path, loaded.text, list(cases_of(loaded)))


def file_name(name: str) -> str:
    """Return the name of the file of a scenario."""
    return f"{plain_name(name) or 'scenario'}{SUFFIX}"


def tidied(name: str) -> str:
    """Return a name as scenarios are told apart by it: no two of them look the same.

    It has single spaces, each letter in one character with its accents, and nothing that is not seen.
    """
    seen = "".join(each for each in name if unicodedata.category(each) != "Cf")
    return " ".join(unicodedata.normalize("NFC", seen).split())


def read_stored(text: str, label: str = "scenario") -> LoadedScenario:
    """Read the text of a scenario that is stored, or shall be.

    Args:
        text: YAML or JSON, as a file has it. It may name no files.
        label: What errors call it.

    Raises:
        ScenarioFileError: It has mistakes; the message has all of them.
    """
    return replace(load_text(text, None, path=Path(label)), path=STORED)


_read_kept = lru_cache(_KEPT)(read_stored)


def store_scenario(
    scenarios: StoredScenarios, text: str, writer: Writer, *, expected: int, name: str = ""
) -> Stored[str]:
    """Check a scenario, and store it under its name; return the name with the revision.

    Args:
        scenarios: The store's.
        text: The scenario.
        writer: The user.
        expected: The revision that the user has seen, `NEVER_WRITTEN` of a new one.
        name: The name of the one that is changed; it stays.

    Raises:
        ScenarioFileError: The text has mistakes.
        InputError: It has another name, or see `StoredScenarios.save`.
        ForbiddenError: The user may not store it.
        EditConflictError: Another revision is stored.
    """
    found = tidied(read_stored(text, name or "scenario").scenario.name)
    if _OF_RESULTS.search(found):
        raise InputError(
            f"The name {found!r} ends as the id of a result does.", advice="Leave out what is in brackets."
        )
    if name and found != tidied(name):
        raise InputError(
            f"The text has the name {found!r}, and the scenario is {name!r}.",
            advice="Keep the name. A scenario under another name is added by an upload.",
        )
    return Stored(name or found, scenarios.save(name or found, text, writer, expected=expected))


def with_name(text: str, name: str) -> str:
    """Return the text of a scenario under another name; comments, order and formatting stay.

    Raises:
        InputError: It cannot be changed in place.
    """
    return rewrite(text, {**read_plain(text), "name": name})


def archive_of(scenarios: Sequence[SuiteScenario]) -> bytes:
    """Return a ZIP archive of scenario files; of names that are equal later ones get a number."""
    files: dict[str, str] = {}
    names: set[str] = set()
    for each in scenarios:
        name, number = each.file_name, 2
        while name.lower() in names:
            name = f"{each.file_name.removesuffix(SUFFIX)}-{number}{SUFFIX}"
            number += 1
        names.add(name.lower())
        files[name] = each.text
    return write_archive(files)
