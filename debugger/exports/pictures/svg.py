"""SVG of Graphviz as a file that stands alone: inert, with names for screen readers."""

from __future__ import annotations

from xml.etree import ElementTree

from debugger.exports.pictures.dot import FONT
from debugger.exports.pictures.drawing import Drawing

_SVG = "http://www.w3.org/2000/svg"
_FONTS = f"{FONT}, Helvetica, sans-serif"


def described_svg(picture: bytes, drawing: Drawing) -> bytes:
    """Return a picture without references to anything outside, whose parts have names.

    The picture, each node and each edge have a title, which browsers show on hover and screen readers read.
    """
    root = ElementTree.fromstring(picture)  # without the type declaration, which names an address
    names = {shape.key: shape.words for shape in drawing.shapes}
    names |= {frame.key: frame.title for frame in drawing.frames}
    names |= {line.key: drawing.words(line) for line in drawing.lines}
    for group in root.iter(f"{{{_SVG}}}g"):
        title = group.find(f"{{{_SVG}}}title")
        name = names.get(group.get("id", ""))
        if title is not None and name is not None:
            title.text = name
            group.set("role", "img")
        elif title is not None:  # of the picture itself, which has one below
            group.remove(title)
    for text in root.iter(f"{{{_SVG}}}text"):
        text.set("font-family", _FONTS)
    _describe(root, drawing)
    ElementTree.register_namespace("", _SVG)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _describe(root: ElementTree.Element, drawing: Drawing) -> None:
    """Add a title and a description at the begin of a picture, which its root names to screen readers."""
    root.set("role", "graphics-document")
    root.set("aria-labelledby", "title")
    root.set("aria-describedby", "description")
    for place, (tag, name, text) in enumerate(
        [("title", "title", drawing.title), ("desc", "description", drawing.summary)]
    ):
        element = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": name})
        element.text = text
        root.insert(place, element)
