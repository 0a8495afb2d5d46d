"""Suite runs as JUnit XML, which servers of continuous integration read."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO
from xml.etree import ElementTree

from debugger.exports.file_text import without_controls
from debugger.scenarios.loading import SUFFIX
from debugger.scenarios.reports.masked import ReportedResult, Sources, reported_results
from debugger.scenarios.reports.texts import (
    RunLink,
    decisive,
    failure_lines,
    failure_summary,
    run_lines,
    warning_lines,
)
from debugger.scenarios.results import SuiteRun

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(file: BinaryIO, suite: SuiteRun, sources: Sources) -> None:
    """Write a suite run as XML with a suite for each file; scenarios that were not run are skipped cases.

    The ``classname`` of a case is the scenario's path without its suffix. The file stays open.
    """
    root = ElementTree.Element("testsuites", name="scenarios")
    groups: defaultdict[str, list[ElementTree.Element]] = defaultdict(list)
    for reported in reported_results(suite, sources):
        groups[reported.result.file].append(_case(reported, sources.link))
    for not_run in suite.not_run:
        file_name, _, name = not_run.partition("::")
        case = ElementTree.Element("testcase", _names(file_name, name), time="0")
        ElementTree.SubElement(case, "skipped", message=_text(f"not run: {suite.reason or 'no result'}"))
        groups[file_name].append(case)
    for file_name, cases in groups.items():
        group = ElementTree.SubElement(root, "testsuite", name=_text(file_name))
        group.set("timestamp", suite.started.removesuffix("Z"))
        group.extend(cases)
        _count(group, cases)
    _count(root, list(chain.from_iterable(groups.values())))
    root.set("time", f"{suite.seconds:.3f}")
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _case(reported: ReportedResult, link: RunLink) -> ElementTree.Element:
    """Return the element of a result: properties, failure or error with its lines, and warnings as output.

    Of a result that passed the output has the path and link of its run.
    """
    result = reported.result
    case = ElementTree.Element(
        "testcase", _names(result.file, result.id.partition("::")[2]), time=f"{result.seconds:.3f}"
    )
    properties = ElementTree.SubElement(case, "properties")
    for name, value in _properties(reported):
        ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    found = decisive(result)
    if result.outcome != "passed" and found is not None:
        first = found.failures[0] if found.failures else None
        other = "mistake" if found.is_mistake else "infrastructure"
        kind = first.expectation.kind if first else other
        name = "error" if result.outcome == "error" else "failure"
        problem = ElementTree.SubElement(case, name, type=kind, message=_text(failure_summary(result)))
        problem.text = _text("\n".join(failure_lines(result, link)))
    output = [f"Warning: {line}" for line in warning_lines(result)]
    if result.outcome == "passed" and found is not None:
        output += run_lines(result, found, link)
    if output:
        ElementTree.SubElement(case, "system-out").text = _text("\n".join(output))
    return case


def _properties(reported: ReportedResult) -> Iterator[tuple[str, str]]:
    """Yield name and text of each property of a result that has a value."""
    result, scenario = reported.result, reported.result.scenario
    values = {
        "workflow": scenario.workflow,
        "workflow_version": reported.version,
        "connection": scenario.connection,
        "seed": scenario.seed,
        "tags": ", ".join(scenario.tags),
        "disposition": reported.disposition,
        "passes": f"{result.passes}/{len(result.repetitions)}" if len(result.repetitions) > 1 else None,
        "run_id": ", ".join(each.run_id for each in result.repetitions if each.run_id),
    }
    return ((name, str(value)) for name, value in values.items() if value not in (None, ""))


def _names(file: str, name: str) -> dict[str, str]:
    return {"classname": _text(file.removesuffix(SUFFIX)), "name": _text(name), "file": _text(file)}


def _count(element: ElementTree.Element, cases: list[ElementTree.Element]) -> None:
    """Set the numbers of tests, failures, errors and skipped cases of an element, and their seconds."""
    found = Counter(child.tag for case in cases for child in case)
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(found[tag]))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _text(text: str) -> str:
    return _NOT_XML.sub("�", without_controls(text))
