"""Test sets with the columns of Amazon Lex, as scenarios and back, with results.

A line of the user is a turn; its intent is an edge that is taken or a node that is reached, its slots are
variables, and the agent's lines after it are parts of what is said. All else of a scenario is in the last
column, which Lex does not have: a sheet that was made here loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import BinaryIO

from debugger.errors import InputError
from debugger.exports.csv_files import CsvOptions, remove_formula_guard, write_csv
from debugger.exports.lex_files import LEX_COLUMNS, LEX_SLOT, MAX_LEX_ROWS
from debugger.exports.sheet_files import read_table
from debugger.graph.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.protocol.workflow import Workflow
from debugger.scenarios.loading import escaped
from debugger.scenarios.model import VERSION
from debugger.scenarios.results import CheckResult, ScenarioResult

REST = "Scenario"
"""The column of what Lex has no column for, as JSON."""
RESULTS = ("Result", "Got")
_LINE, _CONVERSATION, _SOURCE, _INPUT, _INTENT = (name.lower() for name in LEX_COLUMNS)
_SLOT = LEX_SLOT.format("").lower()
_PREFIX = "runtime."


def write_lex(
    file: BinaryIO,
    scenarios: Iterable[JsonObject],
    options: CsvOptions,
    results: Sequence[ScenarioResult] | None = None,
) -> int:
    """Write scenarios as a test set; return the number of lines.

    Args:
        file: It stays open.
        scenarios: The scenarios as JSON, in order.
        options: The dialect of the file.
        results: The results of the scenarios, which get columns of their own.

    Raises:
        InputError: There are more lines than Lex takes.
    """
    found = results or []
    lines = [
        line
        for number, scenario in enumerate(scenarios, start=1)
        for line in _lines(number, scenario, found[number - 1] if number <= len(found) else None)
    ]
    if len(lines) > MAX_LEX_ROWS:
        raise InputError(
            f"The test set has {len(lines):,} lines.", advice=f"Lex takes {MAX_LEX_ROWS:,}: split it."
        )
    slots = max([1, *(len(slots) for *_, slots, _, _ in lines)])
    header = [*LEX_COLUMNS, *(LEX_SLOT.format(place) for place in range(1, slots + 1)), REST]
    rows = (
        [at, *cells, *named, *[""] * (slots - len(named)), rest, *(outcome if results is not None else ())]
        for at, (*cells, named, rest, outcome) in enumerate(lines, start=1)
    )
    write_csv(file, [*header, *(RESULTS if results is not None else ())], rows, options)
    return len(lines)


def scenarios_from_lex(content: bytes, name: str, workflow: Workflow, reference: str) -> list[JsonObject]:
    """Return the conversations of a test set as scenarios, in their order.

    A row without a conversation is a scenario of its own; empty rows are left out.

    Args:
        content: A CSV file or workbook.
        name: Its name, for messages and for scenarios.
        workflow: The workflow that they are of, for the names of edges and nodes.
        reference: The id by which the scenarios name the workflow, where the sheet does not.

    Raises:
        InputError: It is no test set.
    """
    table = read_table(content, name, _INPUT)
    missing = [column for column in (_SOURCE, _CONVERSATION) if column not in table.header]
    if missing:
        raise InputError(
            f"The sheet {name!r} has no column {missing[0]!r}.", advice="Export it from Lex as a test set."
        )
    empty = dict.fromkeys(table.header, "")
    is_own = REST.lower() in table.header  # else what looks like a placeholder is none
    rows = [
        (number, empty | dict(zip(table.header, texts if is_own else map(escaped, texts), strict=False)))
        for number, cells in table.rows
        for texts in [list(map(remove_formula_guard, cells))]
        if any(cells)
    ]
    if not rows:
        raise InputError(f"The sheet {name!r} has no lines.", advice="Add a line of a user at least.")
    reader = _SheetReader(name, workflow, reference)
    return [reader.read(list(group)) for _, group in groupby(rows, _conversation)]


def _conversation(row: tuple[int, Mapping[str, str]]) -> str:
    number = row[1][_CONVERSATION].strip()
    return number if number.lower() not in ("", "n/a") else f"line {row[0]}"  # an utterance of its own


_Line = tuple[int, str, str, str, list[str], str, tuple[str, str]]
"""Conversation, source, input, intent, slots, rest and result."""


def _lines(number: int, scenario: JsonObject, result: ScenarioResult | None) -> Iterator[_Line]:
    """Yield the lines of a scenario: for each turn that of the user, then those of the agent.

    The scenario's other keys are in the rest of the first line.

    Args:
        number: The conversation's number.
        scenario: The scenario as JSON.
        result: Its result; ``None`` leaves the cells of results empty.
    """
    head = {key: value for key, value in scenario.items() if key != "turns"}
    for place, turn in enumerate(scenario["turns"], start=1):
        expected = turn.get("expect") or []
        rest: JsonObject = {"turn": turn, **({"head": head} if place == 1 else {})}
        checks = _checks(result, place)
        users = [each for each in checks if each.expectation.kind != "says"]
        intent = next((text for each in expected if (text := _intent(each))), "")
        slots = [text for each in expected if (text := _slot(each))]
        said = turn.get("say") or ""
        yield number, "User", said, intent, slots, encode(rest).decode(), _outcome(users, checks, result)
        for each in expected:
            if (part := _said(each)) is not None:
                own = [
                    check
                    for check in checks
                    if check.expectation.says and check.expectation.says.contains == part
                ]
                yield number, "Agent", part, "", [], "", _outcome(own, own, result)


def _checks(result: ScenarioResult | None, turn: int) -> list[CheckResult]:
    """Return the checks of the first repetition on a turn; empty without a result."""
    return (
        [check for each in result.repetitions[:1] for check in each.checks if check.turn == turn]
        if result
        else []
    )


def _outcome(
    own: Sequence[CheckResult], of_turn: Sequence[CheckResult], result: ScenarioResult | None
) -> tuple[str, str]:
    """Return the result of a line and what was found instead.

    ``fail`` with the texts of failures, ``pass`` of a turn with checks, ``error`` with the error of the
    scenario, or nothing where it was not run or has no checks.
    """
    if result is None:
        return "", ""
    failed = [check for check in own if not check.passed]
    if failed:
        return "fail", "; ".join(check.text for check in failed)
    error = next((each.error for each in result.repetitions if each.error), "")
    return ("pass", "") if of_turn else ("error", error) if error else ("", "")


def _said(expectation: JsonObject) -> str | None:
    value = expectation.get("says")
    return value if isinstance(value, str) and len(expectation) == 1 else None


def _intent(expectation: JsonObject) -> str:
    if len(expectation) != 1:
        return ""
    value = expectation.get("edge_taken") or expectation.get("reached")
    return value if isinstance(value, str) else ""


def _slot(expectation: JsonObject) -> str:
    """Return an expectation on a variable of a slot as ``name = value``; empty for any other expectation."""
    match = expectation.get("variable") or {}
    if len(expectation) != 1 or set(match) != {"name", "equals"} or not match["name"].startswith(_PREFIX):
        return ""
    name, value = match["name"].removeprefix(_PREFIX), match["equals"]
    return f"{name} = {value if isinstance(value, str) else encode(value).decode()}"


class _SheetReader:
    def __init__(self, name: str, workflow: Workflow, reference: str) -> None:
        graph = Graph(workflow)
        self._name = name
        self._reference = reference
        self._nodes = {text for node in graph.nodes.values() for text in (node.label, node.logical_id)}

    def read(self, rows: Sequence[tuple[int, Mapping[str, str]]]) -> JsonObject:
        """Return a conversation as a scenario, with what the last column has of its original form.

        Raises:
            InputError: A source is neither user nor agent, or the column of the rest has no JSON.
        """
        stem = self._name.rpartition("/")[2].partition(".")[0] or "Sheet"
        name = _conversation(rows[0])
        head: JsonObject = {
            "version": VERSION,
            "name": f"{stem}, {name if name.startswith('line') else f'conversation {name}'}",
            "workflow": self._reference,
        }
        turns: list[JsonObject] = []
        lines: list[list[JsonObject]] = []
        stored: list[JsonObject] = []
        for number, row in rows:
            source = row[_SOURCE].strip().lower()
            if source == "user":
                rest = self._rest(number, row)
                head = rest.get("head") or head
                stored.append(rest.get("turn") or {})
                turns.append({"say": row[_INPUT]} if row[_INPUT] or not stored[-1] else {})
                lines.append(self._expectations(row))
            elif source == "agent":
                if not turns:  # what the agent says before the user does
                    turns.append({})
                    lines.append([])
                    stored.append({})
                lines[-1].append({"says": row[_INPUT]})
            else:
                raise InputError(
                    f"Row {number} of the sheet {self._name!r} has the source {row[_SOURCE]!r}.",
                    advice="Write User or Agent.",
                )
        return {**head, "turns": [_turn(*each) for each in zip(turns, stored, lines, strict=True)]}

    def _rest(self, number: int, row: Mapping[str, str]) -> JsonObject:
        """Return what a row has in the column that Lex lacks; empty without it, or where it is no object.

        Raises:
            InputError: It is no JSON.
        """
        text = row.get(REST.lower(), "").strip()
        try:
            found = json.loads(text) if text else {}
        except ValueError as error:
            raise InputError(
                f"Row {number} of the sheet {self._name!r} has no JSON in the column {REST}: {error}.",
                advice="Leave that column as it was exported, or empty it.",
            ) from error
        return found if isinstance(found, dict) else {}

    def _expectations(self, row: Mapping[str, str]) -> list[JsonObject]:
        """Return the expectations of a user's row: intent as a node or an edge, then slots as variables."""
        intent = row.get(_INTENT, "").strip()
        found: list[JsonObject] = []
        if intent:
            found.append({"reached" if intent in self._nodes else "edge_taken": intent})
        for column, cell in row.items():
            name, equals, value = cell.partition("=")
            if column.startswith(_SLOT) and equals:
                found.append({"variable": {"name": f"{_PREFIX}{name.strip()}", **_equal(value.strip())}})
        return found


def _equal(text: str) -> JsonObject:
    """Return the comparison with a cell, which does not say its type."""
    try:
        value = json.loads(text)
    except ValueError:
        return {"equals": text}
    return {"equals": text} if isinstance(value, str) else {"one_of": [text, value]}


def _turn(turn: JsonObject, stored: JsonObject, lines: list[JsonObject]) -> JsonObject:
    """Return a turn of the sheet, completed by its stored form.

    Of the stored expectations those stay that have no column, or still have their cell; cells that were
    written since are added.
    """
    left = list(lines)
    expect: list[JsonObject] = []
    first_intent = True
    for each in stored.get("expect") or []:
        has_cell = _said(each) is not None or bool(_slot(each)) or (bool(_intent(each)) and first_intent)
        first_intent = first_intent and not _intent(each)
        cell = next((line for line in left if _is_cell_of(line, each)), None)
        if cell is not None:
            left.remove(cell)
        if cell is not None or not has_cell:
            expect.append(each)
    expect += left
    rest = {key: value for key, value in {**stored, **turn}.items() if key != "expect"}
    return {**rest, "expect": expect} if expect else rest


def _is_cell_of(line: JsonObject, stored: JsonObject) -> bool:
    if _slot(stored):
        name, _, value = _slot(stored).partition(" = ")
        return line == {"variable": {"name": f"{_PREFIX}{name}", **_equal(value.strip())}}
    return line == stored or (bool(_intent(line)) and _intent(line) == _intent(stored))
