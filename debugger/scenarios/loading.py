"""Scenario files read from disk, with every error at its line and column."""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from debugger.engine.models import Script
from debugger.engine.models.yaml_lines import LocatedValue, YamlError, read_yaml
from debugger.engine.super_nodes import expand
from debugger.errors import DebuggerError, InputError, NotFoundError, RunError
from debugger.exports.sheet_files import CsvLines
from debugger.graph import load_workflow
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow
from debugger.scenarios.checks import names_in
from debugger.scenarios.conversation import CheckedWorkflow
from debugger.scenarios.mistakes import Problem, ScenarioFileError, describe_error, nearest, own_path
from debugger.scenarios.model import Expectation, Scenario, ScenarioTurn
from debugger.scenarios.preparation import turn_input

Read = TypeVar("Read")

SUFFIX = ".scenario.yaml"
"""The end of the names of scenario files."""
MAX_ROWS = 100_000

_PLACEHOLDER = re.compile(r"\\?\{\{\s*([^{}]*?)\s*\}\}")
_ESCAPE = "\\"
"""Before a text that would be a placeholder; it is removed instead of the placeholder being filled."""
_HALF = re.compile("[\ud800-\udfff]")
_FILLED = ("input", "turns", "expect")
_INSTEAD = {
    "workflow": "Import the workflow, and name it by its logical id, id or name.",
    "script": "Remove 'script': the script of its workflow answers.",
    "rows": "Write the rows into the scenario.",
    "recording": "Remove 'recording': a stored scenario plays no recorded answers.",
}
"""What to do instead of naming a file, by key."""


@dataclass(frozen=True)
class LoadedScenario:
    """A scenario as its file has it."""

    path: Path
    scenario: Scenario
    """With its placeholders."""
    text: str
    """The file's text."""
    rows: list[JsonObject]
    """The values for placeholders, from the file itself or from CSV."""
    document: Workflow | None = field(default=None, repr=False)
    """The workflow, where the scenario names a JSON file."""
    document_text: str = field(default="", repr=False)
    script: Script | None = field(default=None, repr=False)
    script_text: str | None = field(default=None, repr=False)
    first_row: int = 1
    """The number of its first row, where it has some of the file's rows only."""

    def cases(self) -> Iterator[tuple[int | None, JsonObject, Scenario]]:
        """Yield each row with its number, from 1, and the scenario filled with it.

        Without rows, yield the scenario once.
        """
        if not self.rows:
            yield None, {}, self.scenario
        for number, row in enumerate(self.rows, start=self.first_row):
            yield number, row, _filled(self.scenario, row)


def find_scenarios(paths: Iterable[Path]) -> list[Path]:
    """Return scenario files: files as named, whatever they are, and those of folders, sorted; each once.

    Raises:
        InputError: A path is not there, or cannot be read.
    """
    found: dict[Path, None] = {}
    for path in paths:
        try:
            if path.is_dir():
                found |= dict.fromkeys(sorted(path.rglob(f"*{SUFFIX}")))
            elif path.is_file():
                found[path] = None
            else:
                raise InputError(f"There is no file or folder {str(path)!r}.", advice="Is the path right?")
        except OSError as error:
            raise InputError(
                f"{str(path)!r} cannot be read: {error.strerror}.", advice="Is the path right?"
            ) from error
    return list(found)


def load_scenario(path: Path, *, is_confined: bool = False) -> LoadedScenario:
    """Read a scenario file.

    Args:
        path: The file.
        is_confined: Refuse paths that leave the file's folder, as for a file of another user.

    Raises:
        InputError: It cannot be read.
        ScenarioFileError: It has mistakes; the message has all of them.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"The scenario {path} cannot be read: {error.strerror}.", advice="Is the path right?"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"The scenario {path} is not UTF-8.", advice="Save the file as UTF-8.") from error
    return load_text(text, path.parent, path=path, is_confined=is_confined)


def describe_unreadable(path: Path) -> LoadedScenario:
    """Return what can be read of a file with mistakes: name, tags and workflow.

    It cannot be run. Where the file does not tell its name, it is named after the file.
    """
    plain: Any = None
    text = ""
    with contextlib.suppress(OSError, YamlError):
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        root = read_yaml(text)
        check_texts(root)
        plain = root.plain()
    plain = plain if isinstance(plain, dict) else {}
    name, workflow, tags = (plain.get(key) for key in ("name", "workflow", "tags"))
    scenario = Scenario(
        version=1,
        name=name if isinstance(name, str) and name else path.name.removesuffix(SUFFIX),
        tags=[tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        workflow=workflow if isinstance(workflow, str) and workflow else "(unknown)",
        turns=[ScenarioTurn()],
    )
    return LoadedScenario(path, scenario, text, [])


def load_text(
    text: str,
    folder: Path | None,
    *,
    path: Path | None = None,
    is_confined: bool = False,
    root: LocatedValue | None = None,
) -> LoadedScenario:
    """Read the text of a scenario.

    Args:
        text: The file's content.
        folder: The folder to which the paths in it are relative; without one it may name no files.
        path: The file's name for errors and results.
        is_confined: Refuse paths that leave the folder.
        root: The text's content, where it was read already.

    Raises:
        ScenarioFileError: It has mistakes; the message has all of them.
    """
    path = path or (folder or Path()) / f"unsaved{SUFFIX}"
    file = path.as_posix()
    try:
        root = root or read_yaml(text)
        check_texts(root)
    except YamlError as error:
        raise ScenarioFileError(file, [Problem.of(error)]) from error
    reader = _Reader(root, folder, is_confined=is_confined)
    scenario, rows = reader.scenario(), reader.rows()
    document, script = reader.document(), reader.script()
    reader.check_recording()
    reader.check_placeholders()
    if scenario is not None and document is not None:
        reader.check_names(scenario, document)
    reader.raise_problems(file)
    assert scenario is not None
    if not rows:
        scenario = _filled(scenario, {})
        reader.check_inputs(scenario)
    for number, row in enumerate(rows, start=1):
        try:
            reader.check_inputs(_filled(scenario, row), f"Row {number}: ")
        except ValidationError as error:
            reader.add_invalid(error, f"Row {number}: ")
    reader.raise_problems(file)
    return LoadedScenario(
        path,
        scenario,
        text,
        rows,
        document,
        reader.texts.get("workflow", ""),
        script,
        reader.texts.get("script"),
    )


def check_texts(located: LocatedValue) -> None:
    """Refuse what no JSON text or no text of a database can have, in keys and values at any depth.

    Raises:
        YamlError: A text has the character 0, or half of a character.
    """
    value = located.value
    for text in value if isinstance(value, dict) else [value]:
        if isinstance(text, str) and "\0" in text:
            raise located.error("A text has the character 0, which a database cannot keep", "Remove it")
        if isinstance(text, str) and _HALF.search(text):
            raise located.error(
                "A text has half of a character, as \\ud83d is", "Write the character itself, or \\U0001f600."
            )
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        check_texts(inner)


class _Reader:
    """A reader of one file, which collects the mistakes.

    Args:
        root: The file as YAML.
        folder: The folder to which its paths are relative; without one paths are mistakes.
        is_confined: Whether paths may not leave that folder.
    """

    def __init__(self, root: LocatedValue, folder: Path | None, *, is_confined: bool) -> None:
        """Begin without mistakes; no file is read yet."""
        self._root = root
        self._plain: Any = root.plain()
        self._folder = folder
        self._is_confined = is_confined
        self._problems: list[Problem] = []
        self._rows: list[JsonObject] = []
        self.texts: dict[str, str] = {}
        """The texts of the files that the scenario names, by key."""
        self._columns: list[str] | None = None
        """Those of the CSV file."""

    def scenario(self) -> Scenario | None:
        """Return the scenario; ``None`` with problems noted."""
        try:
            found = Scenario.model_validate(self._plain)
        except ValidationError as error:
            self.add_invalid(error)
            return None
        self._check_numbers(found.model_dump(by_alias=True, exclude_unset=True), ())
        return found

    def _check_numbers(self, value: Any, path: tuple[str | int, ...]) -> None:
        """Note numbers in the place of texts, or in rows, that would be sent in another way."""
        if isinstance(value, dict | list):
            for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
                self._check_numbers(inner, (*path, step))
        elif isinstance(value, str) or path[0] == "rows":
            place = self._root.at(path)
            is_number = isinstance(place.value, int | float) and not isinstance(place.value, bool)
            if is_number and place.written != str(place.value):
                self._add(
                    path, f"{place.written} would be read as the number {place.value}. Put it in quotes."
                )

    def raise_problems(self, file: str) -> None:
        """Raise what was found.

        Raises:
            ScenarioFileError: There was something.
        """
        if self._problems:
            raise ScenarioFileError(file, list(dict.fromkeys(self._problems)))

    def add_invalid(self, error: ValidationError, prefix: str = "") -> None:
        """Note the errors of a validation."""
        for each in error.errors(include_url=False):
            path = own_path(self._root, each)
            self._add(path, prefix + describe_error(each, path))

    def rows(self) -> list[JsonObject]:
        """Return the rows, inline or from CSV, and keep them for `check_placeholders`.

        They are empty without any, and where the file cannot be used, which is noted.
        """
        rows = self._value("rows")
        if isinstance(rows, str):
            self._rows = self._csv(rows)
        elif isinstance(rows, list):
            self._rows = [row for row in rows if isinstance(row, dict)]
        return self._rows

    def document(self) -> Workflow | None:
        """Return the workflow of a JSON file.

        ``None`` where an id is named, or the file cannot be used, which is noted. So is a version beside a
        file.
        """
        name = self._value("workflow")
        if not isinstance(name, str) or not is_path(name):
            return None
        if self._value("workflow_version") is not None:
            self._add(("workflow_version",), "A JSON file has one version only. Remove workflow_version.")
        return self._read_file("workflow", name, load_workflow)

    def script(self) -> Script | None:
        """Return the script that the scenario names."""
        name = self._value("script")
        return self._read_file("script", name, Script.load) if isinstance(name, str) else None

    def check_recording(self) -> None:
        """Note recorded answers in a place that the scenario may not name; the file may be recorded yet."""
        name = self._value("recording")
        if isinstance(name, str):
            self._may_name("recording", name)

    def _read_file(self, kind: str, name: str, read: Callable[[str], Read]) -> Read | None:
        """Return what a function reads from a named file, and keep its text; ``None`` with a note."""
        content = self._content(kind, name)
        try:
            if content is None:
                return None
            text = self.texts[kind] = content.decode("utf-8-sig")
            return read(text)
        except UnicodeDecodeError:
            self._add((kind,), f"The file {name!r} is not UTF-8. Save it as UTF-8.")
        except DebuggerError as error:
            self._add((kind,), f"The file {name!r} is not a {kind}: {error}")
        return None

    def check_placeholders(self) -> None:
        """Note placeholders without a column."""
        for key in _FILLED:
            for path, name in _placeholders(self._value(key), (key,)):
                self._check_placeholder(path, name)

    def check_names(self, scenario: Scenario, document: Workflow) -> None:
        """Note names of nodes and edges that the workflow does not have.

        Nothing is checked where it contains a stored workflow, or where a name has a placeholder.
        """
        try:
            workflow = CheckedWorkflow(document, expand(document, _not_stored).workflow)
        except RunError:  # it contains a stored workflow, whose nodes only a run knows
            return
        checks = {"node": workflow.node_id, "edge": workflow.check_edge}
        places: list[tuple[tuple[str | int, ...], list[Expectation]]] = [(("expect",), scenario.expect)]
        places += [(("turns", index, "expect"), turn.expect) for index, turn in enumerate(scenario.turns)]
        for path, expectations in places:
            for index, expectation in enumerate(expectations):
                for kind, name in names_in(expectation):
                    self._check_name((*path, index, expectation.kind), name, checks[kind])
        for index, mock in enumerate(scenario.mocks):
            for name in filter(None, (mock.node, mock.model_of, mock.called_by)):
                self._check_name(("mocks", index), name, workflow.node_id)

    def check_inputs(self, scenario: Scenario, prefix: str = "") -> None:
        """Note run inputs that no turn can have, as of one scenario filled with a row."""
        for index, turn in enumerate(scenario.turns):
            if turn.send or (scenario.input and index == 0 and turn.advance is None):
                path = ("turns", index, "send") if turn.send else ("input",)
                try:
                    turn_input(scenario, turn, is_first=index == 0)
                except InputError as error:
                    self._add(path, f"{prefix}{path[-1]}: {str(error).removeprefix('TurnInput: ')}.")

    def _check_name(self, path: tuple[str | int, ...], name: str, check: Callable[[str], object]) -> None:
        """Note an `InputError` that a check of a name raises; a name with ``{{`` is not checked."""
        try:
            if "{{" not in name:
                check(name)
        except InputError as error:
            self._add(path, str(error))

    def _check_placeholder(self, path: tuple[str | int, ...], name: str) -> None:
        """Note a placeholder if there are no rows, no such column, or rows without it."""
        written = f"{{{{{name}}}}}"
        if not self._rows:
            if self._value("rows") in (None, []):
                self._add(path, f"The placeholder {written} is found, and no rows. Add 'rows', or remove it.")
            return
        if self._columns is not None:
            if name not in self._columns:
                self._add(
                    path,
                    f"The placeholder {written} is no column of the file. {nearest(name, self._columns)}",
                )
            return
        for index, row in enumerate(self._rows):
            if name not in row:
                message = f"Row {index + 1} has no {name!r}, which the placeholder {written} needs."
                self._add(("rows", index), f"{message} {nearest(name, row)}")

    def _csv(self, name: str) -> list[JsonObject]:
        """Return the rows of a CSV file, at most `MAX_ROWS`, by its header; empty lines are left out.

        There are none where it cannot be read. Its problems are noted, columns named twice and no rows among
        them.
        """
        content = self._content("rows", name)
        if content is None:
            return []
        try:
            lines = CsvLines(content.decode("utf-8-sig"))
            table = csv.reader(lines, strict=True)
            header = next(table, [])
            filled = filter(any, _rows(table, lines))
            rows = [
                dict(zip(header, map(_cell, cells), strict=True)) for cells in islice(filled, MAX_ROWS + 1)
            ]
        except UnicodeDecodeError:
            self._add(("rows",), f"The file {name!r} is not UTF-8. Save it as UTF-8.")
            return []
        except (csv.Error, ValueError) as error:
            reason = error if isinstance(error, csv.Error) else "it has not as many cells as the header"
            self._add(("rows",), f"The file {name!r} cannot be read at its line {table.line_num}: {reason}.")
            return []
        if not rows or len(rows) > MAX_ROWS:
            count = f"more than {MAX_ROWS:,}" if rows else "0"
            self._add(("rows",), f"The file {name!r} has {count} rows; expected are 1 to {MAX_ROWS:,}.")
        if twice := sorted({each for each in header if header.count(each) > 1}):
            self._add(("rows",), f"The file {name!r} has the column {twice[0]!r} twice. Keep one.")
        self._columns = header
        return rows[:MAX_ROWS]

    def _content(self, key: str, name: str) -> bytes | None:
        """Return the bytes of a file that the scenario names.

        ``None`` where it may not or cannot be read, with a note.
        """
        if not self._may_name(key, name) or self._folder is None:
            return None
        try:
            return (self._folder / name).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            self._add((key,), f"The file {name!r} cannot be read: {reason}. Paths are relative to this file.")
            return None

    def _may_name(self, key: str, name: str) -> bool:
        """Return whether the scenario may name a file; note why it may not."""
        if self._folder is None:
            self._add((key,), f"A stored scenario has no file {name!r} beside it. {_INSTEAD[key]}")
            return False
        if self._is_confined and Path(name).name != name:
            self._add((key,), f"The file {name!r} is in another folder. Upload it together with this file.")
            return False
        return True

    def _value(self, key: str) -> Any:
        return self._plain.get(key) if isinstance(self._plain, dict) else None

    def _add(self, path: Sequence[str | int], message: str) -> None:
        place = self._root.at(path)
        self._problems.append(Problem(place.line, place.column, message))


def is_path(workflow: str) -> bool:
    """Return whether a scenario's ``workflow`` is a path, not an id or name."""
    return workflow.endswith(".json")


def _not_stored(workflow_id: str, version: int | None) -> NoReturn:
    raise NotFoundError(f"The workflow {workflow_id!r} is stored elsewhere.")


def _filled(scenario: Scenario, row: JsonObject) -> Scenario:
    """Return a scenario without its rows, with the placeholders filled in from one row.

    Raises pydantic's `ValidationError` where the filled texts break the format.
    """
    # Without the rows: each row would read and check all of them.
    written = scenario.model_dump(by_alias=True, exclude_unset=True, exclude={"rows"})
    return Scenario.model_validate(
        {**written, **{key: _fill(written[key], row) for key in _FILLED if key in written}}
    )


def _fill(value: Any, row: JsonObject) -> Any:
    """Return a JSON value with its placeholders filled from a row, which must have them all.

    A text that is but a placeholder becomes the value itself; within a text any other value is written as
    JSON. Escaped placeholders lose their escape.
    """
    if isinstance(value, dict):
        return {key: _fill(inner, row) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, row) for inner in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    whole = _PLACEHOLDER.fullmatch(value)
    if whole is not None and not value.startswith(_ESCAPE):
        return row[whole[1]]

    def text(found: re.Match[str]) -> str:
        if found[0].startswith(_ESCAPE):
            return found[0][1:]
        inner = row[found[1]]
        return inner if isinstance(inner, str) else json.dumps(inner, ensure_ascii=False)

    return _PLACEHOLDER.sub(text, value)


def escaped(value: Any) -> Any:
    """Return a JSON value with its placeholders escaped."""
    if isinstance(value, dict):
        return {key: escaped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [escaped(inner) for inner in value]
    return _PLACEHOLDER.sub(r"\\\g<0>", value) if isinstance(value, str) else value


def unescaped(value: Any) -> Any:
    """Return a JSON value of a file, as a text, without escapes; its placeholders stay."""
    if isinstance(value, dict):
        return {key: unescaped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unescaped(inner) for inner in value]
    is_text = isinstance(value, str)
    return _PLACEHOLDER.sub(lambda each: each[0].removeprefix(_ESCAPE), value) if is_text else value


def _rows(table: Iterable[list[str]], lines: CsvLines) -> Iterator[list[str]]:
    for cells in table:
        lines.end_row()
        yield cells


def _cell(text: str) -> Any:
    """Return a cell's text, or a number that is written the same."""
    try:
        number = json.loads(text) if text[:1] in "-0123456789" and text[-1:].isdecimal() else text
    except ValueError:
        return text
    return number if json.dumps(number) == text else text


def _placeholders(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield path of the text and name of each placeholder in a JSON value; escaped ones are none."""
    if isinstance(value, str):
        for each in _PLACEHOLDER.finditer(value):
            if not each[0].startswith(_ESCAPE):
                yield path, each[1]
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _placeholders(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _placeholders(inner, (*path, index))
