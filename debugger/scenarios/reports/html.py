"""Suite runs as one page that needs nothing else: no network, no other file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import BinaryIO

from jinja2 import Template

from debugger.exports.file_text import text_bytes
from debugger.exports.html_files import content_hash, page_templates, read_resource
from debugger.scenarios.reports.masked import Sources, reported_results
from debugger.scenarios.reports.texts import check_place, decisive, repeats_text, run_link
from debugger.scenarios.results import SuiteRun


def write_html(file: BinaryIO, suite: SuiteRun, sources: Sources) -> None:
    """Write a page with filters; each result has its differences, transcript and path.

    The results that did not pass come first.
    """
    style = f"{read_resource('run_page.css')}\n{_resource('suite_page.css')}"
    script = _resource("suite_page.js")
    problems = {result.id for result in suite.problems}
    ordered = [*suite.problems, *(result for result in suite.results if result.id not in problems)]
    parts = _template().generate(
        style=style,
        style_hash=content_hash(style),
        script=script,
        script_hash=content_hash(script),
        suite=suite,
        results=reported_results(suite, sources, ordered),
        outcomes=[name for name in ("failed", "error", "passed") if suite.counts[name]],
        tags=sorted({tag for result in suite.results for tag in result.scenario.tags}),
        masking_words="Personal data is not masked."
        if sources.masking.is_off
        else "Personal data is masked.",
        link=sources.link,
        run_link=run_link,
        decisive=decisive,
        check_place=check_place,
        repeats_text=repeats_text,
    )
    for part in parts:
        file.write(text_bytes(part))


@cache
def _template() -> Template:
    # From the environment of exported runs, whose template of one run it includes.
    return page_templates().from_string(_resource("suite_page.html"))


def _resource(name: str) -> str:
    return files("debugger.scenarios.reports").joinpath(name).read_text(encoding="utf-8").strip()
