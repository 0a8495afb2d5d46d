"""CSV and Excel files as LibreOffice reads them; needs `apt-get install libreoffice-calc`."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from tests.exports.test_formats import PLAIN, TEXTS, run_of
from tests.support.exports import written

pytestmark = pytest.mark.campaign

CSV_AS_TEXT = "CSV:44,34,76,1,{column}/2,0,false,true,false"
"""Commas, double quotes, UTF-8, from the first line, and one column of texts, as a user chooses it in the
import dialog: else a spreadsheet reads ``0123`` as a number."""


def converted(file: Path, folder: Path, filter_name: str = "") -> Path:
    """The file as LibreOffice saves it again, as a workbook."""
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("no LibreOffice: apt-get install libreoffice-calc")
    command = [soffice, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--norestore"]
    command += [f"--infilter={filter_name}"] if filter_name else []
    command += ["--convert-to", "xlsx", "--outdir", str(folder / "out"), str(file)]
    subprocess.run(command, check=True, timeout=180, capture_output=True)
    return folder / "out" / f"{file.stem}.xlsx"


def texts_of(file: Path) -> list[str]:
    """The column of texts."""
    header, *rows = openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True)
    return [row[header.index("text")] for row in rows]


def test_libreoffice_reads_csv_as_written(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_bytes(written([run_of(*TEXTS)], PLAIN))
    header = file.read_text(encoding="utf-8-sig").partition("\n")[0].strip().split(",")

    found = texts_of(converted(file, tmp_path, CSV_AS_TEXT.format(column=header.index("text") + 1)))

    assert [str(text).removeprefix("'") for text in found] == TEXTS
    assert not any(str(text).startswith("=") for text in found)


def test_libreoffice_reads_excel_as_written(tmp_path):
    file = tmp_path / "runs.xlsx"
    file.write_bytes(written([run_of(*TEXTS)], replace(PLAIN, format="xlsx")))

    assert texts_of(converted(file, tmp_path)) == TEXTS
