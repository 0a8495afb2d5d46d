"""Control characters of messages, names and errors in reports and exports."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest

from debugger.exports.file_text import text_bytes
from debugger.exports.formats import EXPORTS, write_export
from debugger.exports.presets import LEX
from debugger.protocol.json_codec import json_bytes
from debugger.scenarios.reports import REPORTS, Sources
from tests.exports.test_formats import run_of
from tests.support.exports import NO_MASKING, options
from tests.support.suites import check, result, scenario, suite

CONTROLS = "".join(map(chr, (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))))
HOSTILE = f"\x1b]0;owned\x07\x1b[2J\x9b31m{CONTROLS}end"
FOUND = re.compile(f"[{re.escape(CONTROLS)}]")


def texts_of(data: bytes) -> list[str]:
    """The text of a file, or of each file in an archive."""
    if data[:2] != b"PK":
        return [data.decode()]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(name).decode() for name in archive.namelist()]


@pytest.mark.parametrize("name", REPORTS)
def test_reports_have_no_control_characters(name):
    made = scenario(f"Name {HOSTILE}", tags=[f"tag{HOSTILE}"])
    failed = result(
        "failed",
        check(message=HOSTILE, got=HOSTILE, expected=HOSTILE),
        made=made,
        file=f"a{HOSTILE}.scenario.yaml",
    )
    error = result("error", error=HOSTILE, file=f"b{HOSTILE}.scenario.yaml")
    file = io.BytesIO()

    REPORTS[name](file, suite(failed, error, not_run=[f"c{HOSTILE}::d"], reason=HOSTILE), Sources())

    [text] = texts_of(file.getvalue())
    assert FOUND.search(text) is None
    assert "end" in text


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_have_no_control_characters(name):
    file = io.BytesIO()
    chosen = options(name, masking=NO_MASKING)

    write_export(file, [run_of(HOSTILE, HOSTILE)], chosen)

    assert [text for text in texts_of(file.getvalue()) if FOUND.search(text)] == []


def test_lex_test_set_has_no_control_characters():
    file = io.BytesIO()

    write_export(file, [run_of(HOSTILE)], options("csv", preset=LEX, masking=NO_MASKING))

    assert FOUND.search(file.getvalue().decode()) is None


def test_json_keeps_the_values():
    written = json_bytes({HOSTILE: [HOSTILE, "Grüße 🫖"]})

    assert json.loads(written) == {HOSTILE: [HOSTILE, "Grüße 🫖"]}
    assert FOUND.search(written.decode()) is None


def test_text_keeps_tabs_lines_and_letters():
    assert text_bytes("a\tb\r\nc \u202e é 🫖\ud800").decode() == "a\tb\r\nc \u202e é 🫖\\ud800"
