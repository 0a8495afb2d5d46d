from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook

from debugger.errors import InputError
from debugger.exports import sheet_files
from debugger.exports.excel_files import write_excel
from debugger.exports.sheet_files import read_table
from debugger.protocol.file_limits import FileLimit


def workbook(*sheets):
    book = Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(content, name, change):
    """Return a workbook in which one part is another."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            data = old.read(member)
            new.writestr(member.filename, change(data) if member.filename == name else data)
    return out.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_is_read_in_each_form(separator, encoding):
    lines = [["Text", " Run_ID "], ['"a\nb 🫖; c,d|e\t"', "x1"], [], ["", "x2"]]
    content = "\r\n".join(separator.join(line) for line in lines).encode(encoding)

    table = read_table(content, "a.csv", "run_id")

    assert table.header == ["text", "run_id"]
    assert list(table.rows) == [(2, ["a\nb 🫖; c,d|e\t", "x1"]), (3, []), (4, ["", "x2"])]


def test_separator_hint_of_excel_is_a_row():
    table = read_table(b"sep=;\na;run_id\n1;2", "a.csv", "run_id")

    assert list(table.rows) == [(3, ["1", "2"])]


def test_csv_in_another_encoding_is_rejected():
    with pytest.raises(InputError, match="not text in UTF-8: byte 9 does not fit"):
        read_table("run_id\n12ä".encode("latin-1"), "a.csv", "run_id")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2", b"\n" * 20 + b"run_id", workbook([["a"], ["b"]])])
def test_sheet_without_its_column_is_rejected(content):
    with pytest.raises(InputError, match="no column 'run_id' in its first 10 rows"):
        read_table(content, "a.csv", "run_id")


def test_large_file_is_rejected(monkeypatch):
    monkeypatch.setattr(sheet_files, "REVIEW_SHEET", FileLimit("sheet", 0))

    with pytest.raises(InputError, match="21 bytes"):
        read_table(b"x" * 21, "a.csv", "run_id")


@pytest.mark.parametrize(
    "content", [b"run_id\n" + b"1\n" * 16, workbook([["run_id"], *[["1"]] * 16])], ids=["csv", "xlsx"]
)
def test_many_rows_are_rejected(content, monkeypatch):
    monkeypatch.setattr(sheet_files, "MAX_ROWS", 5)

    with pytest.raises(InputError, match="more than 5 rows"):
        list(read_table(content, "a", "run_id").rows)


def test_very_large_cell_of_csv_is_named():
    content = b"run_id\n1\n" + b"x" * 1_000_001

    with pytest.raises(InputError, match="Row 3 of the sheet"):
        list(read_table(content, "a.csv", "run_id").rows)


def test_workbook_is_read_from_the_fitting_sheet():
    rows = [["Masking is off"], [], ["run_id", "n", "flag", None], ["x1", 3.0, True], [], ["x2", 2.5, "=1"]]
    content = workbook([["About"]], rows)

    table = read_table(content, "a.xlsx", "run_id")

    assert table.header == ["run_id", "n", "flag"]
    assert list(table.rows) == [(4, ["x1", "3", "true"]), (5, [""] * 3), (6, ["x2", "2.5", ""])]


def test_row_far_below_is_not_lost_silently():
    content = workbook([["run_id"], ["1"]])
    far = changed(
        content, "xl/worksheets/sheet1.xml", lambda data: data.replace(b'<row r="2">', b'<row r="900000">')
    )

    with pytest.raises(InputError, match="more than 200,000 rows"):
        list(read_table(far, "a.xlsx", "run_id").rows)


def test_cell_far_to_the_right_takes_no_memory():
    content = workbook([["run_id", "x"], ["1", "y"]])
    far = changed(content, "xl/worksheets/sheet1.xml", lambda data: data.replace(b'r="B2"', b'r="ZZZ2"'))

    assert list(read_table(far, "a.xlsx", "run_id").rows) == [(2, ["1", ""])]


def test_workbook_that_unpacks_into_much_is_rejected(monkeypatch):
    monkeypatch.setattr(sheet_files, "MAX_UNPACKED_BYTES", 100_000)
    bomb = changed(workbook([["run_id"]]), "xl/styles.xml", lambda data: b" " * 10_000_000)
    assert len(bomb) < 30_000

    with pytest.raises(InputError, match=r"unpacks into 10,\d+,\d+ bytes"):
        read_table(bomb, "a.xlsx", "run_id")


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "[Content_Types].xml", "xl/styles.xml"])
def test_workbook_with_entities_is_rejected(part):
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    hostile = changed(workbook([["run_id"]]), part, lambda data: entity + data.partition(b"?>")[2])

    with pytest.raises(InputError, match="defines XML entities"):
        read_table(hostile, "a.xlsx", "run_id")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: changed(content, "xl/workbook.xml", lambda data: data[:100]),
        lambda content: changed(content, "xl/workbook.xml", lambda data: b"\xff\x00nothing"),
        lambda content: content[:4] + b"nothing else",
    ],
)
def test_damaged_workbook_is_rejected(damage):
    with pytest.raises(InputError, match="is damaged, or locked"):
        read_table(damage(workbook([["run_id"], ["1"]])), "a.xlsx", "run_id")


def test_workbook_that_does_not_unpack_is_rejected():
    content = workbook([["run_id"], ["1"]])
    first = zipfile.ZipFile(io.BytesIO(content)).infolist()[0]
    begin = 30 + len(first.filename)

    with pytest.raises(InputError, match="is damaged, or locked"):
        read_table(content[:begin] + b"\xff" * 8 + content[begin + 8 :], "a.xlsx", "run_id")


def test_lone_hint_of_a_separator_is_no_sheet():
    with pytest.raises(InputError, match="no column 'run_id'"):
        read_table(b"sep=", "a.csv", "run_id")


def test_sheet_damaged_below_its_header_is_rejected():
    content = workbook([["run_id"], *[["1"]] * 50])
    cut = changed(content, "xl/worksheets/sheet1.xml", lambda data: data[: len(data) // 2])

    with pytest.raises(InputError, match="is damaged, or locked"):
        list(read_table(cut, "a.xlsx", "run_id").rows)


def test_escaped_characters_of_a_workbook_are_read():
    file = io.BytesIO()
    write_excel(file, ["run_id"], [["one\r\ntwo_x0041_"], ["a\x00b"]], lambda: ())

    rows = list(read_table(file.getvalue(), "a.xlsx", "run_id").rows)

    assert [cells for _, cells in rows] == [["one\r\ntwo_x0041_"], ["a\ufffdb"]]


def test_text_that_excel_cuts_says_so():
    file = io.BytesIO()
    write_excel(file, ["run_id"], [["🫖" * 20_000], ["🫖" * 16_000]], lambda: ())

    [(_, [cut]), (_, [whole])] = read_table(file.getvalue(), "a.xlsx", "run_id").rows

    assert cut.endswith("🫖 … (cut: the text has 20000 characters)")
    assert whole == "🫖" * 16_000


@pytest.mark.parametrize("filling", ["a,", "a", '"a",'])
def test_row_of_too_many_characters_is_refused(filling):
    """It is not read as several rows, of which one seems to be the header."""
    content = filling * (3_000_000 // len(filling)) + ",run_id\n1\n"

    with pytest.raises(InputError, match=r"Row 1 of the sheet 'a\.csv' cannot be read"):
        read_table(content.encode(), "a.csv", "run_id")
