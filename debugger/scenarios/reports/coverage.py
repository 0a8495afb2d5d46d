"""Reports of coverage: for a terminal, as JSON, and as one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import BinaryIO, NamedTuple

from jinja2 import Template

from debugger.analysis.coverage import KIND_LABELS, Item, ItemKind
from debugger.exports.file_text import text_bytes
from debugger.exports.html_files import content_hash, page_templates, read_resource
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import json_bytes
from debugger.scenarios.coverage import VersionCoverage

FORMAT = "workflow-debugger-coverage"
VERSION = 1
"""Raised when a field changes its meaning or goes; readers ignore fields that they do not know."""

MISSING_LABELS: dict[ItemKind, str] = {
    "node": "never ran",
    "edge": "never followed",
    "true": "never true",
    "false": "never false",
    "exhausted": "never without an attempt left",
    "success": "never succeeded",
    "failure": "never failed",
}
"""What a missing item lacks, in words."""

_IN_TEXT: tuple[ItemKind, ...] = ("edge", "false", "exhausted", "success", "failure")
"""Kinds that are listed for a terminal: an edge that is never followed tells of its node and condition."""
_MOST_LINES = 20


class Row(NamedTuple):
    """A missing item in words."""

    item: Item
    label: str
    lacks: str
    nearest: str
    """The nearest covered node, with its run and turn; empty without one."""


def missing_rows(version: VersionCoverage, kinds: Sequence[ItemKind] = ()) -> Iterator[Row]:
    """Yield the missing items of a version, of some kinds or of all, in the order of the document."""
    coverage = version.coverage
    for item in coverage.missing(*kinds):
        near = coverage.nearest(item)
        words = "" if near is None else f"{near.label}, run {near.moment.run_id}, turn {near.moment.turn}"
        yield Row(item, coverage.items[item].label, MISSING_LABELS[item.kind], words)


def text_lines(versions: Sequence[VersionCoverage]) -> Iterator[str]:
    """Yield the counts of each version, and what is missing, for a terminal."""
    for version in versions:
        runs = len(version.coverage.run_ids)
        yield f"Coverage of {version.words}, by {runs} run{'' if runs == 1 else 's'}:"
        for kind, count in version.coverage.counts.items():
            yield f"  {KIND_LABELS[kind]:34} {count.covered:4} of {count.total:4}  {count.percent:5.1f} %"
        rows = missing_rows(version, _IN_TEXT)
        for row in islice(rows, _MOST_LINES):
            near = f"; nearest: {row.nearest}" if row.nearest else ""
            yield f"  {row.lacks}: {row.label}{near}"
        if rest := sum(1 for _ in rows):
            yield f"  … and {rest} more; see --coverage with a file."


def write_json(file: BinaryIO, versions: Sequence[VersionCoverage]) -> None:
    """Write the coverage of all versions as one object; the file stays open."""
    found = {"format": FORMAT, "version": VERSION, "workflows": [_version_json(each) for each in versions]}
    file.write(json_bytes(found) + b"\n")


def _version_json(version: VersionCoverage) -> JsonObject:
    coverage = version.coverage
    return {
        "workflow_id": version.workflow_id,
        "workflow": version.name,
        "workflow_version": version.version,
        "runs": sorted(coverage.run_ids),
        "counts": {
            kind: {"covered": count.covered, "total": count.total, "percent": round(count.percent, 2)}
            for kind, count in coverage.counts.items()
        },
        "items": [_item_json(version, item) for item in coverage.items],
    }


def _item_json(version: VersionCoverage, item: Item) -> JsonObject:
    """Return an item with the first turn that covered it, else with the nearest covered node."""
    coverage = version.coverage
    first = coverage.covered.get(item)
    found: JsonObject = {
        "kind": item.kind,
        "id": item.id,
        "label": coverage.items[item].label,
        "is_covered": first is not None,
    }
    if first is not None:
        return {**found, "run_id": first.run_id, "turn": first.turn}
    near = coverage.nearest(item)
    if near is None:
        return {**found, "nearest": None}
    place = {"node_logical_id": near.node_id, "run_id": near.moment.run_id, "turn": near.moment.turn}
    return {**found, "nearest": {**place, "distance": near.distance}}


def write_html(file: BinaryIO, versions: Sequence[VersionCoverage]) -> None:
    """Write the coverage of all versions as one page that needs no network; the file stays open."""
    style = f"{read_resource('run_page.css')}\n{_resource('coverage_page.css')}"
    parts = _template().generate(
        style=style,
        style_hash=content_hash(style),
        versions=versions,
        labels=KIND_LABELS,
        missing_rows=missing_rows,
    )
    for part in parts:
        file.write(text_bytes(part))


@cache
def _template() -> Template:
    return page_templates().from_string(_resource("coverage_page.html"))


def _resource(name: str) -> str:
    return files("debugger.scenarios.reports").joinpath(name).read_text(encoding="utf-8").strip()


COVERAGE_REPORTS: dict[str, Callable[[BinaryIO, Sequence[VersionCoverage]], None]] = {
    ".html": write_html,
    ".json": write_json,
}
"""Every format by the end of the file's name."""
