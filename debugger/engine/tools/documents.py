"""A document, cut into the passages that a search can find."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from debugger.errors import extra_advice

MAX_PASSAGE_CHARACTERS = 1_200
"""Characters."""

MAX_HEADING_CHARACTERS = 1_000
"""Of a heading, a key or the name of a column that is repeated before what belongs to it."""

MAX_PASSAGES = 200_000
"""Of one document, and of all documents that one search looks through."""

MAX_PASSAGES_CHARACTERS = 40_000_000
"""Of the same passages together; headings and names are in many of them."""

MAX_UNPACKED_BYTES = 40_000_000
"""Limit of the unpacked size of a DOCX, which is a ZIP archive."""

_MISSING = f"PDF and DOCX need the extra [documents]. {extra_advice('documents')}"
_HEADING = re.compile(r"#{1,6}\s+\S")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n")
_INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "img", "small", "span", "strong", "u"})
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_UNREAD = frozenset({"script", "style", "template", "noscript"})
_NOT_SPACE = re.compile(r"\S")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class DocumentLimitError(Exception):
    """Documents that would give too many or too long passages."""


class DocumentError(Exception):
    """A document that cannot be read, with the reason."""


def passages(path: Path) -> list[str]:
    """Split a document into passages of at most `MAX_PASSAGE_CHARACTERS`.

    A text is cut at headings and blank lines, and what follows a heading begins with it; an object of JSON
    is cut into its keys, a list into its elements, a table into its rows, each value after its name.

    Args:
        path: A file whose suffix `READERS` knows; what is not UTF-8 in a text is replaced, unless it begins
            with the mark of UTF-16.

    Raises:
        OSError: It cannot be read.
        DocumentError: It is no PDF or DOCX after all, or the extra that reads them is missing.
        DocumentLimitError: It exceeds `MAX_PASSAGES` or `MAX_PASSAGES_CHARACTERS`.
    """
    content = path.read_bytes()
    found: list[str] = []
    characters = 0
    for passage in READERS[path.suffix.lower()](content):
        for piece in _bounded(passage):
            characters += len(piece)
            require_size(len(found) + 1, characters)
            found.append(piece)
    return found


def require_size(count: int, characters: int) -> None:
    """Refuse passages of which there are too many or which are too long together.

    Raises:
        DocumentLimitError: They exceed `MAX_PASSAGES` or `MAX_PASSAGES_CHARACTERS`.
    """
    if count > MAX_PASSAGES:
        raise DocumentLimitError(f"there are more than {MAX_PASSAGES:,} passages")
    if characters > MAX_PASSAGES_CHARACTERS:
        raise DocumentLimitError(
            f"the passages have more than {MAX_PASSAGES_CHARACTERS:,} characters with headings, keys and "
            "column names repeated in them"
        )


def _of_text(text: str) -> Iterator[str]:
    """Yield the passages of a text: paragraphs gathered up to `MAX_PASSAGE_CHARACTERS`.

    A heading begins a new passage and is repeated before each further one of its section. A longer paragraph
    is not cut here.
    """
    heading, gathered = "", ""
    for paragraph in _paragraphs(text):
        begins_section = _HEADING.match(paragraph) is not None
        if gathered and (begins_section or len(gathered) + len(paragraph) > MAX_PASSAGE_CHARACTERS):
            yield gathered
            gathered = "" if begins_section else heading
        if begins_section:
            heading = paragraph.split("\n", 1)[0][:MAX_HEADING_CHARACTERS]
        gathered = f"{gathered}\n\n{paragraph}" if gathered else paragraph
    if gathered:
        yield gathered


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the stripped paragraphs of a text, none of them empty; a heading begins a new one."""
    for block in _BLANK_LINES.split(text.replace("\r\n", "\n")):
        lines: list[str] = []
        for line in block.split("\n"):
            if _HEADING.match(line) and lines:
                yield from _joined(lines)
                lines = []
            lines.append(line.rstrip())
        yield from _joined(lines)


def _joined(lines: list[str]) -> Iterator[str]:
    paragraph = "\n".join(lines).strip()
    if paragraph:
        yield paragraph


def _of_json(text: str) -> Iterator[str]:
    """Yield a passage for each key of an object or element of a list; of no JSON those of the text.

    Any other value is one passage. Raises DocumentLimitError where a passage is too long.
    """
    try:
        value = json.loads(text)
        parts = [{key: each} for key, each in value.items()] if isinstance(value, dict) else value
        yield from ["\n".join(_lines(part)) for part in (parts if isinstance(parts, list) else [parts])]
    except (ValueError, RecursionError):  # no JSON after all, but still words
        yield from _of_text(text)


def _lines(value: Any) -> Iterator[str]:
    """Yield a line for each scalar in a JSON value, after the names that lead to it; null has none.

    Raises:
        DocumentLimitError: The lines are too long together.
    """
    characters = 0
    waiting: list[Iterator[tuple[str, Any]]] = [iter([("", value)])]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            continue
        name, part = entry
        if isinstance(part, dict | list):
            waiting.append(_entries(part, name))
        elif part is not None:
            line = f"{name}: {part}" if name else str(part)
            characters += len(line)
            require_size(1, characters)
            yield line


def _entries(value: dict[str, Any] | list[Any], name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        return ((name, inner) for inner in value)
    return ((f"{name} {key}".strip()[:MAX_HEADING_CHARACTERS], inner) for key, inner in value.items())


def _of_csv(text: str) -> Iterator[str]:
    """Yield a passage for each row after the first, each cell after its column's name.

    Empty cells are left out; a file that is no CSV is read as a text.
    """
    try:
        deque(csv.reader(io.StringIO(text)), maxlen=0)
    except csv.Error:  # a cell beyond the reader's limit
        yield from _of_text(text)
        return
    rows = csv.reader(io.StringIO(text))
    names = [name[:MAX_HEADING_CHARACTERS] for name in next(rows, [])]
    for row in rows:
        cells = zip(chain(names, repeat("")), row, strict=False)
        yield "\n".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)


def _of_html(text: str) -> Iterator[str]:
    """Yield the passages of a page's text; where the parser fails, of the text without tags."""
    page = _Page()
    try:
        page.feed(text)
        page.close()
        words = "".join(page.pieces)
    except AssertionError:  # of the parser, at a "<![" that begins nothing known
        words = re.sub(r"<[^>]*>", " ", text)
    yield from _of_text(words)


class _Page(HTMLParser):
    """The text of a page with blank lines between its blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add the break that a tag stands for, of a heading also its mark; skip what is not read."""
        if tag in _UNREAD:
            self._unread += 1
        elif tag in _HEADINGS:
            self.pieces.append(f"\n\n{_HEADINGS[tag]} ")
        elif tag not in _INLINE:
            self.pieces.append("\n" if tag == "br" else "\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNREAD:
            self._unread = max(0, self._unread - 1)
        elif tag not in _INLINE:
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            # Line breaks in a page's source mean no more than a space.
            self.pieces.append(re.sub(r"\s+", " ", data))


def _of_pdf(content: bytes) -> Iterator[str]:
    """Yield the passages of a PDF, page by page.

    Raises:
        DocumentError: It cannot be read, or the extra is missing.
    """
    try:
        import pypdf  # late: an extra
    except ImportError as error:
        raise DocumentError(_MISSING) from error
    try:
        pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
    except Exception as error:  # of a broken file, of many kinds
        raise DocumentError(f"it is no PDF that can be read ({type(error).__name__})") from error
    for page in pages:
        yield from _of_text(page)


def _of_docx(content: bytes) -> Iterator[str]:
    """Yield the passages of a DOCX, without its pictures.

    Raises:
        DocumentError: It cannot be read, or the extra is missing.
        DocumentLimitError: It is larger than `MAX_UNPACKED_BYTES` once unpacked.
    """
    try:
        import mammoth  # late: an extra
    except ImportError as error:
        raise DocumentError(_MISSING) from error
    try:
        with ZipFile(io.BytesIO(content)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise DocumentLimitError(f"there are more than {MAX_UNPACKED_BYTES:,} bytes once it is unpacked")
        without_pictures = mammoth.images.img_element(lambda picture: {"src": ""})
        page = mammoth.convert_to_html(io.BytesIO(content), convert_image=without_pictures).value
    except DocumentLimitError:
        raise
    except Exception as error:  # of a broken file, of many kinds
        raise DocumentError(f"it is no DOCX that can be read ({type(error).__name__})") from error
    yield from _of_html(page)


def _decoded(reader: Callable[[str], Iterator[str]]) -> Callable[[bytes], Iterator[str]]:
    """Return a reader of bytes that decodes them, by UTF-8 or a mark of UTF-16, for a reader of texts.

    Bytes that do not fit are replaced.
    """

    def read(content: bytes) -> Iterator[str]:
        encoding = "utf-16" if content.startswith(_UTF_16) else "utf-8-sig"
        return reader(io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace").read())

    return read


def _bounded(passage: str) -> Iterator[str]:
    """Split a passage at spaces into stripped pieces of at most ``MAX_PASSAGE_CHARACTERS``.

    A blank passage gives none; where no space is near the end the cut is within a word.
    """
    text = passage.strip()
    start = 0
    while len(text) - start > MAX_PASSAGE_CHARACTERS:
        last = start + MAX_PASSAGE_CHARACTERS
        end = max(text.rfind(space, start + MAX_PASSAGE_CHARACTERS // 2, last) for space in " \n")
        end = end if end > 0 else last
        yield text[start:end].strip()
        following = _NOT_SPACE.search(text, end)
        start = following.start() if following else len(text)
    if text[start:]:
        yield text[start:]


READERS: dict[str, Callable[[bytes], Iterator[str]]] = {
    ".txt": _decoded(_of_text),
    ".md": _decoded(_of_text),
    ".json": _decoded(_of_json),
    ".csv": _decoded(_of_csv),
    ".html": _decoded(_of_html),
    ".pdf": _of_pdf,
    ".docx": _of_docx,
}
"""By the suffix of a file."""
