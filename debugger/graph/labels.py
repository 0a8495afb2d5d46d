"""Labels cut to a width, measured without a font."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

ELLIPSIS = "…"

_LONGEST = 400
"""No drawing shows more characters of one text than this."""

# Widths in thousandths of the font size, each the larger of Source Sans (semi-bold) and Arial, so that a text
# measured here fits in whichever of the two a browser has.
_WIDTHS = {
    character: width
    for characters, width in (
        (" '|,.:;Iijl", 285),
        ("!()-[]{}\\/f", 345),
        ("rt", 375),
        ('J"^*ckszvxy', 525),
        ("ABEFKLPSTVXYZ&", 670),
        ("CDHNRUw", 750),
        ("GOQ", 780),
        ("mM", 845),
        ("%W", 950),
        ("@—…", 1020),
    )
    for character in characters
}
_ASCII, _LETTER, _CAPITAL, _WIDE, _EMOJI = 590, 720, 900, 1020, 1260
_JOINER = "\u200d"
_PIECES = re.compile(r"\s|[^\s/_.:-]+[/_.:-]*|[/_.:-]+")


def clean(text: str) -> str:
    """Return the text on one line, without invisible characters."""
    return _clean(text[: _LONGEST + 1])


def shorten(text: str, length: int) -> str:
    """Cut a text to one line of so many characters."""
    line = clean(text)
    return line if len(line) <= length else line[: length - 1].rstrip() + ELLIPSIS


@lru_cache(maxsize=4096)
def _clean(text: str) -> str:
    """Return the text on one line: invisible characters and white space become single spaces.

    After 400 characters it is cut, and ends with an ellipsis.
    """
    shapely = (
        character if character.isprintable() or character in f"{_JOINER}\u200c" else " "
        for character in text[:_LONGEST]
    )
    return " ".join("".join(shapely).split()) + (ELLIPSIS if len(text) > _LONGEST else "")


@lru_cache(maxsize=8192)
def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in pixels, rather too large."""
    return sum(map(_cluster_width, _clusters(text))) * size / 1000


@lru_cache(maxsize=4096)
def cut(text: str, size: float, width: float) -> str:
    """Cut a clean text to so many pixels, with an ellipsis; one that fits is returned as it is.

    At least one character and the ellipsis remain, even if they are wider.
    """
    if text_width(text, size) <= width:
        return text
    room = width - text_width(ELLIPSIS, size)
    return _head(text, size, room).rstrip() + ELLIPSIS


@lru_cache(maxsize=4096)
def wrap(text: str, size: float, width: float, most: int) -> tuple[str, ...]:
    """Wrap a clean text to so many lines of so many pixels.

    Broken are spaces first, then names at ``_ - / . :``, and what is still too long anywhere between two
    characters. What does not fit on the last line gives way to an ellipsis.
    """
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most - 1:
        line = _first_line(rest, size, width)
        lines.append(line.rstrip())
        rest = rest[len(line) :].lstrip()
    if rest:
        lines.append(cut(rest, size, width))
    return tuple(lines)


def _first_line(text: str, size: float, width: float) -> str:
    """Return the beginning that fits on a line, broken after a piece, else after any character.

    A piece is white space, or a word with the marks ``_ - / . :`` behind it.
    """
    line = ""
    for piece in _PIECES.findall(text):
        if text_width((line + piece).rstrip(), size) > width:
            break
        line += piece
    return line or _head(text, size, width)


def _head(text: str, size: float, width: float) -> str:
    """Return the longest beginning that fits, at least one character; of an empty text an empty one."""
    head, used = "", 0.0
    for cluster in _clusters(text):
        used += _cluster_width(cluster) * size / 1000
        if head and used > width:
            break
        head += cluster
    return head


def _clusters(text: str) -> Iterator[str]:
    """Yield user-perceived characters: a letter with accents, a composed emoji.

    An empty text yields none; a mark without a letter before it is one by itself.
    """
    cluster = ""
    for character in text:
        joins = _is_mark(character) or cluster.endswith(_JOINER)
        if cluster and not joins:
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _cluster_width(cluster: str) -> int:
    return max(map(_character_width, cluster))


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    """Return the width of a character in thousandths of the font size; 0 of a mark on another one."""
    base = unicodedata.normalize("NFD", character)[0]
    if _is_mark(base):
        return 0
    if base in _WIDTHS:
        return _WIDTHS[base]
    if base.isascii():
        return _ASCII
    if ord(base) >= 0x1F000:
        return _EMOJI
    if unicodedata.east_asian_width(base) in "WF":
        return _WIDE
    return _CAPITAL if base.isupper() else _LETTER


def _is_mark(character: str) -> bool:
    if character.isascii():
        return False
    is_skin_tone = 0x1F3FB <= ord(character) <= 0x1F3FF
    return is_skin_tone or unicodedata.category(character) in ("Mn", "Me", "Cf")
