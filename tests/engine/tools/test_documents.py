from __future__ import annotations

from pathlib import Path

import pytest

from debugger.engine.tools.documents import MAX_PASSAGE_CHARACTERS, passages


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_text_is_cut_at_its_headings(tmp_path):
    path = written(tmp_path, "a.md", "First.\n\n# Hours\nOpen at 9.\n## Sunday\n\nClosed.\n\n# Fees\n\nNone.")

    found = passages(path)

    assert found == ["First.", "# Hours\nOpen at 9.", "## Sunday\n\nClosed.", "# Fees\n\nNone."]


def test_short_paragraphs_stay_together(tmp_path):
    path = written(tmp_path, "a.txt", "One.\r\n\r\nTwo.\n \nThree.\n")

    assert passages(path) == ["One.\n\nTwo.\n\nThree."]


def test_long_section_is_split_with_its_heading(tmp_path):
    path = written(tmp_path, "a.md", "# Fees\n\n" + "cheap " * 150 + "\n\n" + "dear " * 150)

    first, second = passages(path)

    assert first.startswith("# Fees\n\ncheap")
    assert second.startswith("# Fees\n\ndear")


@pytest.mark.parametrize("text", ["word " * 1000, "x" * 5000])
def test_passages_are_bounded_and_complete(tmp_path, text):
    path = written(tmp_path, "a.txt", text)

    found = passages(path)

    assert max(map(len, found)) <= MAX_PASSAGE_CHARACTERS
    assert "".join(found).replace(" ", "") == text.replace(" ", "")


def test_html_loses_its_marks_and_its_scripts(tmp_path):
    page = (
        "<html><head><title>Clinic</title><style>p {color: red}</style></head><body>"
        "<h2>Opening <b>hours</b></h2><p>From\n 9 &amp; later</p><script>alert('x')</script></body></html>"
    )

    assert passages(written(tmp_path, "a.html", page)) == ["Clinic", "## Opening hours\n\nFrom 9 & later"]


def test_broken_html_still_has_words(tmp_path):
    assert passages(written(tmp_path, "a.html", "<p>Open <![,]> at 9</p>")) == ["Open   at 9"]


def test_json_list_gives_passage_per_element(tmp_path):
    path = written(tmp_path, "a.json", '[{"name": "Ada", "phones": [1, 2], "fax": null}, "plain", {}]')

    assert passages(path) == ["name: Ada\nphones: 1\nphones: 2", "plain"]


def test_json_object_gives_passage_per_key(tmp_path):
    path = written(tmp_path, "a.json", '{"hours": {"monday": "9-5"}, "fee": 20}')

    assert passages(path) == ["hours monday: 9-5", "fee: 20"]


@pytest.mark.parametrize("text", ['{"hours": ', "[" * 100_000])
def test_invalid_json_is_read_as_text(tmp_path, text):
    path = written(tmp_path, "a.json", text)

    assert "".join(passages(path)) == text.strip()


def test_table_gives_passage_per_row(tmp_path):
    path = written(tmp_path, "a.csv", "name,fee\nCheck-up,20\nX-ray,,extra\n")

    assert passages(path) == ["name: Check-up\nfee: 20", "name: X-ray\nextra"]


def test_too_large_cell_is_read_as_text(tmp_path):
    path = written(tmp_path, "a.csv", "name\n" + "x" * 200_000)

    assert sum(map(len, passages(path))) >= 200_000


def test_what_is_not_utf_8_is_replaced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfcaf\xe9 open")

    assert passages(path) == ["caf\ufffd open"]


@pytest.mark.parametrize("suffix", [".txt", ".md", ".csv", ".html", ".json"])
def test_an_empty_document_has_no_passages(tmp_path, suffix):
    assert passages(written(tmp_path, f"a{suffix}", "")) == []
