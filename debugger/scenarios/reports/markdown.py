"""Suite runs as Markdown, for the comments of pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from debugger.exports.file_text import text_bytes
from debugger.scenarios.reports.masked import ReportedResult, Sources, reported_results
from debugger.scenarios.reports.texts import (
    RunLink,
    check_place,
    decisive,
    repeats_text,
    run_link,
    warning_lines,
)
from debugger.scenarios.results import SuiteRun

_MAX_BYTES = 60_000
"""A comment on GitHub has 65,536 characters at most."""
_MAX_TEXT = 300
_MAX_WHY = 1000
_ICONS = {"passed": "✅", "failed": "❌", "error": "⚠️"}


def write_markdown(file: BinaryIO, suite: SuiteRun, sources: Sources) -> None:
    """Write a summary, a section for each failure, the warnings, and a table of all results.

    Parts that would make it longer than `_MAX_BYTES` are left out, with a line that says how many. The file
    stays open.
    """
    reported = list(reported_results(suite, sources))
    failed = [each for each in reported if each.result.outcome != "passed"]
    icon = "❌" if failed else "⚠️" if suite.not_run else "✅"
    head = f"## {icon} Scenarios: {suite.summary}\n\n"
    parts = [*(_failure(each, sources.link) for each in failed), *_warnings(reported), *_table(reported)]
    if suite.not_run:
        parts.insert(0, f"Not run: {', '.join(map(_code, suite.not_run[:20]))}\n\n")
    size = file.write(text_bytes(head))
    for at, part in enumerate(map(text_bytes, parts)):
        size += len(part)
        if size > _MAX_BYTES:
            file.write(text_bytes(f"\n… {len(parts) - at} more parts do not fit; see the HTML report.\n"))
            break
        file.write(part)


def _failure(reported: ReportedResult, link: RunLink) -> str:
    """Return the section of a result that did not pass: its row, error, failed checks, causes and path."""
    result, found = reported.result, decisive(reported.result)
    mark = f" ({reported.disposition})" if reported.disposition else ""
    lines = [f"### {_ICONS[result.outcome]} {_code(result.id)}{mark}", ""]
    if result.row:
        values = ", ".join(f"{name}={value!r}" for name, value in result.row.items())
        lines += [f"Row {result.row_number}: {_code(values)}", ""]
    if repeats := repeats_text(result):
        lines += [repeats, ""]
    if found is not None and found.error:
        lines += [f"Error: {_code(found.error)}", ""]
    if found is not None and found.failures:
        lines += ["| Turn | Expected | Got |", "|---|---|---|"]
        for check in found.failures:
            own = f"{_code(check.expectation.message)}: " if check.expectation.message else ""
            place = check_place(check).removeprefix("turn ")
            opened = run_link(result, found, link, check.event)
            place = f"[{place}]({opened})" if opened else place
            lines.append(f"| {place} | {own}{_code(check.expected)} | {_code(check.got)} |")
        lines.append("")
        for check in found.failures:
            if check.why:
                lines += [f"Why, {check_place(check)}: {_code(check.why, _MAX_WHY)}", ""]
    if found is not None and found.ran:
        lines += [f"Workflow: {_code(found.ran.words)}", ""]
    if found is not None and found.path:
        lines += [f"Path: {_code(found.path)}", ""]
    return "\n".join(lines) + "\n"


def _warnings(reported: list[ReportedResult]) -> Iterator[str]:
    """Yield the section of failed soft checks of all results; nothing without any."""
    lines = [
        f"- {_code(each.result.id)} {_code(line)}\n"
        for each in reported
        for line in warning_lines(each.result)
    ]
    if lines:
        yield "### Warnings\n\n" + "".join(lines) + "\n"


def _table(reported: list[ReportedResult]) -> Iterator[str]:
    """Yield the folded table of all results; nothing without any."""
    if not reported:
        return
    rows = [
        f"| {_ICONS[each.result.outcome]} {each.result.outcome} | {_code(each.result.id)} "
        f"| {each.result.seconds:.2f} s |\n"
        for each in reported
    ]
    yield (
        f"<details><summary>All {len(reported)} results</summary>\n\n| | Scenario | Time |\n|---|---|---:|\n"
        + "".join(rows)
        + "\n</details>\n"
    )


def _code(text: str, longest: int = _MAX_TEXT) -> str:
    """Return a text as code for a table, on one line without mentions, links or markup; cut at a length."""
    text = " ".join(text.split())
    text = text if len(text) <= longest else f"{text[:longest]}…"
    ticks = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * (ticks + 1)
    space = " " if text[:1] in ("`", " ", "") or text[-1:] in ("`", " ", "") else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")
