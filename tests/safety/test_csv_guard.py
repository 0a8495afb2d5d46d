"""Spreadsheet formulas: no cell of an exported CSV begins with one.

This holds in every reading of the file.
"""

from __future__ import annotations

import csv
import io
import re
import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.exports.csv_files import csv_bytes

SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫"
BEFORE = [
    "",
    " ",
    "\u00a0",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\ufeff",
    "\u200b",
    "\u2060",
    "\0",
    '"',
    '""',
    "\u3000 \t",
]
SEPARATORS = [
    "",
    "a;",
    "a;;",
    "a\t",
    "a\n",
    "a\r",
    'a";',
    'a;"',
    "a;\n",
    ";",
    ";a,;",
    'a","',
    "a\u2028",
    "a;\ufeff",
]
NOTHING = re.compile(r'[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"]*')
NUMBER = re.compile(r"-?[0-9.]+")


def cells(data):
    """All cells of a file, in each way of reading it."""
    text = data.decode("utf-8-sig")
    for delimiter in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield from row
    # Some programs take quotes for ordinary characters.
    for pattern in ("[;\r\n]", "[\t\r\n]"):
        yield from re.split(pattern, text)


def dangerous(data):
    found = (NOTHING.sub("", cell, count=1) for cell in cells(data) if not NUMBER.fullmatch(cell))
    return [cell for cell in found if cell[:1] and cell[0] in SIGNS]


@pytest.mark.parametrize("sign", SIGNS)
def test_no_reading_finds_a_formula(sign):
    texts = [f"{first}{before}{sign}1+1" for first, before in product(SEPARATORS, BEFORE)]

    data = csv_bytes(("number", "text", "other"), [(1, text, text) for text in texts])

    assert dangerous(data) == []


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x";"y")', "x;=cmd|'/c calc'!A1", "\n=1", "＝1", "a\t@SUM(A1)"]
)
def test_known_attack_is_read_as_text(text):
    assert dangerous(csv_bytes(("number", "text"), [(1, text)])) == []


@given(st.lists(st.text(alphabet="=+-@＝;,\t\r\n\" \ufeff\u200bab'1", max_size=12), min_size=1, max_size=4))
def test_no_mixture_of_signs_and_separators_passes(texts):
    assert dangerous(csv_bytes(("number", "text"), [(1, *texts), (2, *texts)])) == []


def test_numbers_stay_numbers():
    data = csv_bytes(("a", "b", "c", "d"), [(-5, -1.5, "-5", "-12.75")])

    assert data.decode("utf-8-sig").splitlines()[1] == "-5,-1.5,-5,-12.75"


@pytest.mark.parametrize(
    "text", ["a; b", "x = 1; y = 2", "1 - 2", "a@b.example", "one\ntwo", "f(a;b)\t(c)", "'=1"]
)
def test_harmless_text_is_left_alone(text):
    [_, row] = csv.reader(io.StringIO(csv_bytes(("n", "text"), [(1, text)]).decode("utf-8-sig"), newline=""))

    assert row[1] == text


@pytest.mark.parametrize("text", ["\n" * 300_000, ";" * 300_000, "\n-" * 100_000, ' ;"' * 100_000])
def test_long_runs_of_separators_take_little_time(text):
    began = time.process_time()

    csv_bytes(("n", "text"), [(1, text)])

    assert time.process_time() - began < 1
