from __future__ import annotations

import io
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from debugger.engine.tools.documents import (
    MAX_PASSAGE_CHARACTERS,
    MAX_UNPACKED_BYTES,
    DocumentError,
    DocumentLimitError,
    passages,
)


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
    [passage] = passages(written(tmp_path, "a.html", "<p>Open <![,]> at 9</p>"))

    assert passage in ("Open   at 9", "Open  at 9")  # before Python 3.13, and from then on


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


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_marked_utf_16_is_read(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("\ufefftea,cups\nDarjeeling,2".encode(encoding))

    assert passages(path) == ["tea: Darjeeling\ncups: 2"]


def test_what_is_not_utf_8_is_replaced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfcaf\xe9 open")

    assert passages(path) == ["caf\ufffd open"]


@pytest.mark.parametrize("suffix", [".txt", ".md", ".csv", ".html", ".json"])
def test_an_empty_document_has_no_passages(tmp_path, suffix):
    assert passages(written(tmp_path, f"a{suffix}", "")) == []


def pdf(*pages: str) -> bytes:
    """Return a PDF with a line of text on each page."""
    kids = " ".join(f"{number} 0 R" for number in range(3, 3 + len(pages)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    font = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    for number in range(len(pages)):
        stream = 3 + len(pages) + number
        objects.append(f"<< /Type /Page /Parent 2 0 R /Resources {font} /Contents {stream} 0 R >>")
    for text in pages:
        drawn = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET"
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
    content, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(f"{len(content):010} 00000 n \n")
        content += f"{number} 0 obj\n{each}\nendobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{''.join(places)}"
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF"
    return f"{content}{table}{trailer}".encode("latin-1")


def docx(body: str, **parts: str) -> bytes:
    """Return a DOCX with paragraphs, and further parts by their names."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    main = f'<Relationship Id="r1" Type="{kind}" Target="word/document.xml"/>'
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{types}"/>')
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{relations}">{main}</Relationships>')
        archive.writestr(
            "word/document.xml", f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>'
        )
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def paragraph(text: str, style: str = "") -> str:
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}<w:r><w:t>{text}</w:t></w:r></w:p>"


def test_pdf_gives_the_text_of_its_pages(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf("Open from nine.", "Closed on Sunday."))

    assert passages(path) == ["Open from nine.", "Closed on Sunday."]


def test_docx_is_cut_at_its_headings(tmp_path):
    path = tmp_path / "a.docx"
    path.write_bytes(
        docx(
            paragraph("Hours", "Heading1")
            + paragraph("Open at 9.")
            + paragraph("Fees", "Heading1")
            + paragraph("None.")
        )
    )

    assert passages(path) == ["# Hours\n\nOpen at 9.", "# Fees\n\nNone."]


@pytest.mark.parametrize(("suffix", "library"), [(".pdf", "pypdf"), (".docx", "mammoth")])
def test_missing_library_names_the_extra(tmp_path, monkeypatch, suffix, library):
    monkeypatch.setitem(sys.modules, library, None)
    path = written(tmp_path, f"a{suffix}", "")

    with pytest.raises(DocumentError, match=r"pip install '.\[documents\]'"):
        passages(path)


@pytest.mark.parametrize(("suffix", "kind"), [(".pdf", "PDF"), (".docx", "DOCX")])
@pytest.mark.parametrize("content", [b"", b"words", b"%PDF-1.4\n%%EOF", b"PK\x03\x04 broken"])
def test_broken_document_is_refused(tmp_path, suffix, kind, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)

    with pytest.raises(DocumentError, match=f"it is no {kind} that can be read"):
        passages(path)


def test_docx_that_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "a.docx"
    path.write_bytes(docx(paragraph("Hours"), **{"word/media/a.bmp": "0" * (MAX_UNPACKED_BYTES + 1)}))

    with pytest.raises(DocumentLimitError, match="more than 40,000,000 bytes once it is unpacked"):
        passages(path)
