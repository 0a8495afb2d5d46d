"""Reports of suite runs as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from debugger.scenarios.reports.html import write_html
from debugger.scenarios.reports.json_report import write_json
from debugger.scenarios.reports.junit import write_junit
from debugger.scenarios.reports.markdown import write_markdown
from debugger.scenarios.reports.masked import Sources
from debugger.scenarios.results import SuiteRun

REPORTS: dict[str, Callable[[BinaryIO, SuiteRun, Sources], None]] = {
    "junit": write_junit,
    "json": write_json,
    "markdown": write_markdown,
    "html": write_html,
}
"""Every format by name."""
