"""Every format of a picture, and the one function that writes it."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

from debugger.errors import InputError
from debugger.exports.file_text import text_bytes
from debugger.exports.pictures.dot import dot_graph
from debugger.exports.pictures.drawing import Drawing
from debugger.exports.pictures.mermaid import explain_mermaid_limits, mermaid_text
from debugger.exports.pictures.svg import described_svg
from debugger.exports.pictures.themes import Theme
from debugger.graph.graphviz_program import DOTS_PER_INCH, MOST_INCHES, explain_missing_program, run_program

MOST_SHAPES = 2_000
"""Nodes of a picture that is laid out."""
_LONGEST_SIDE = 16_384
"""Pixels of a long and narrow bitmap, as of a chain of nodes: what most programs show."""


@dataclass(frozen=True)
class PictureFormat:
    """One format."""

    label: str
    """The name for users."""
    help: str
    media_type: str
    write: Callable[[Drawing, Theme], bytes]
    is_laid_out: bool = True
    """Is true of a format that Graphviz's program writes."""
    explain_readers: Callable[[Drawing, Theme], str] = lambda drawing, theme: ""
    """Returns why programs that read the file may refuse it, and what helps; empty if none does."""


def make_picture(drawing: Drawing, name: str, theme: Theme) -> bytes:
    """Return the file of a picture.

    Args:
        drawing: What is drawn.
        name: The format, a key of `PICTURES`.
        theme: Its colours.

    Raises:
        InputError: There is no such format, or the workflow is too large for it.
        UnsupportedError: The format needs a program that is not installed.
        DebuggerError: The program fails or takes too long.
    """
    if name not in PICTURES:
        raise InputError(
            f"There is no format {name!r} of a picture.", advice=f"Choose from {', '.join(PICTURES)}."
        )
    if too_large := _explain_size(drawing, name):
        raise InputError(too_large)
    return PICTURES[name].write(drawing, theme)


def explain_refusal(drawing: Drawing, name: str) -> str:
    """Return why a picture cannot be had in a format, and what to do; empty if it can.

    What takes too much time or memory is known only when it is made.
    """
    missing = explain_missing_program(name) if PICTURES[name].is_laid_out else ""
    return missing or _explain_size(drawing, name)


def _explain_size(drawing: Drawing, name: str) -> str:
    """Return why a picture has too many nodes to be laid out, and what to do; empty if it can be had."""
    if not PICTURES[name].is_laid_out or len(drawing.shapes) <= MOST_SHAPES:
        return ""
    return (
        f"The workflow has {len(drawing.shapes):,} nodes; a picture has at most {MOST_SHAPES:,}. "
        "Take DOT or Mermaid, which are not laid out."
    )


def _write_svg(drawing: Drawing, theme: Theme) -> bytes:
    return described_svg(run_program(dot_graph(drawing, theme).source, "svg"), drawing)


def _write_png(drawing: Drawing, theme: Theme) -> bytes:
    source = dot_graph(drawing, theme).source
    picture = run_program(source, "png")
    inches = _inches_of_long_side(picture)
    return run_program(source, "png", inches=inches) if inches else picture


def _inches_of_long_side(png: bytes) -> int:
    """Return how long a narrow picture may be that was scaled down; 0 where it is as large as it may be."""
    short, long = sorted(struct.unpack(">II", png[16:24]))
    most = MOST_INCHES["png"]
    if long < most * DOTS_PER_INCH:
        return 0
    inches = min(_LONGEST_SIDE // DOTS_PER_INCH, math.isqrt(most**2 * long // short))
    return inches if inches > most else 0


def _write_pdf(drawing: Drawing, theme: Theme) -> bytes:
    return run_program(dot_graph(drawing, theme).source, "pdf")


def _write_dot(drawing: Drawing, theme: Theme) -> bytes:
    return text_bytes(dot_graph(drawing, theme).source)


def _write_mermaid(drawing: Drawing, theme: Theme) -> bytes:
    return text_bytes(mermaid_text(drawing, theme))


PICTURES: dict[str, PictureFormat] = {
    "svg": PictureFormat(
        "SVG", "Sharp at every size; for web pages and documents", "image/svg+xml", _write_svg
    ),
    "png": PictureFormat("PNG", "A bitmap, for slides and chats", "image/png", _write_png),
    "pdf": PictureFormat("PDF", "One page, for print", "application/pdf", _write_pdf),
    "dot": PictureFormat(
        "DOT", "Text for Graphviz", "text/vnd.graphviz; charset=utf-8", _write_dot, is_laid_out=False
    ),
    "mmd": PictureFormat(
        "Mermaid",
        "Text that wikis and code hosts draw",
        "text/plain; charset=utf-8",
        _write_mermaid,
        is_laid_out=False,
        explain_readers=explain_mermaid_limits,
    ),
}
"""Every format by its name, which is the extension of its files, in the order of the menu."""
