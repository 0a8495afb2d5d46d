"""Pictures as Mermaid text, which wikis and code hosts draw."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from debugger.exports.pictures.drawing import Drawing, Frame
from debugger.exports.pictures.themes import Dash, Look, Theme

MOST_CHARACTERS, MOST_EDGES = 50_000, 500
"""What Mermaid draws unless the page that holds it is set up for more."""
_SPECIAL = re.compile(r"[!-/:-@\[-`{-~\u200b]")
"""Marks of ASCII. Several mean something inside quotes, too: ``"``, ``#``, ``;``, a backtick, ``1.``."""
_READ_LATE = re.compile(r"(?<=\\)(?=n)|(?<=\$)(?=\$)|(?<=:)(?=fa-)")
r"""Places within what Mermaid reads after entities: ``\n`` is a line's end, ``$$x$$`` a formula,
``fa:fa-ban`` an icon. A space without a width parts them."""
_VARIABLES = {"background": "background", "edgeLabelBackground": "background", "textColor": "text"}
"""Mermaid's names for what no line of the flowchart can colour, and the colours of the page."""
_DASHES: dict[Dash, str] = {"": "", "dashed": ",stroke-dasharray:6 4", "dotted": ",stroke-dasharray:2 3"}


def mermaid_text(drawing: Drawing, theme: Theme) -> str:
    """Return a picture as a flowchart of Mermaid.

    Ids are ``n0`` and ``g0``; in texts every mark of ASCII is an entity, so that none means anything.
    """
    return "\n".join(_lines(drawing, theme)) + "\n"


def explain_mermaid_limits(drawing: Drawing, theme: Theme) -> str:
    """Return why Mermaid does not draw a picture as it is installed nearly everywhere; empty if it does."""
    length = len(mermaid_text(drawing, theme))
    if len(drawing.lines) <= MOST_EDGES and length <= MOST_CHARACTERS:
        return ""
    return (
        f"The text has {length:,} characters and {len(drawing.lines):,} edges. Mermaid draws up to "
        f"{MOST_CHARACTERS:,} and {MOST_EDGES:,} unless maxTextSize and maxEdges are set where it is drawn."
    )


def _lines(drawing: Drawing, theme: Theme) -> Iterator[str]:
    """Yield the lines of a flowchart: its head, nodes and frames, edges, then one line for each look."""
    yield from ("---", f"title: {json.dumps(drawing.title, ensure_ascii=False)}")
    yield from ("config:", "  theme: base", "  themeVariables:")  # without it labels are on light grey
    for variable, colour in _VARIABLES.items():
        yield f'    {variable}: "{theme[colour]}"'
    yield "---"
    yield f"flowchart {'TD' if drawing.direction == 'down' else 'LR'}"
    yield from _level("", drawing, "    ")
    for line in drawing.lines:
        words = _joined([" ".join(filter(None, (line.mark.steps, *line.label[:1]))), *line.label[1:]])
        arrow = "-.->" if theme.line(line).dash else "-->"
        yield f"    {line.source} {arrow}{f'|{words}|' if words else ''} {line.target}"
    looks = [(_style(theme.shape(shape)), shape.key) for shape in drawing.shapes]
    looks += [(_style(theme.frame(frame)), frame.key) for frame in drawing.frames]
    for place, (style, keys) in enumerate(_grouped(looks).items()):
        yield f"    classDef c{place} {style}"
        yield f"    class {','.join(keys)} c{place}"
    lines = [(theme.line(line), str(place)) for place, line in enumerate(drawing.lines)]
    for look, places in _grouped(lines).items():
        yield (
            f"    linkStyle {','.join(places)} "
            f"stroke:{look.stroke},stroke-width:{look.width:g}px,color:{look.text}"
        )


_Look = TypeVar("_Look", bound=Hashable)


def _grouped(pairs: Iterable[tuple[_Look, str]]) -> dict[_Look, list[str]]:
    """Return keys by their look: one line for each look is half of the text of a large picture."""
    keys: dict[_Look, list[str]] = defaultdict(list)
    for look, key in pairs:
        keys[look].append(key)
    return keys


def _level(frame: str, drawing: Drawing, indent: str) -> Iterator[str]:
    """Yield the lines of the nodes in a frame, then of the frames in it with their content."""
    for shape in drawing.shapes:
        if shape.frame == frame:
            yield f"{indent}{shape.key}({_joined([*shape.name, *shape.captions])})"
    for inner in drawing.frames:
        if inner.frame == frame:
            yield from _subgraph(inner, drawing, indent)


def _subgraph(frame: Frame, drawing: Drawing, indent: str) -> Iterator[str]:
    yield f"{indent}subgraph {frame.key}[{_joined([frame.title])}]"
    yield from _level(frame.key, drawing, f"{indent}    ")
    yield f"{indent}end"


def _joined(lines: Iterable[str]) -> str:
    """Return lines as one quoted text; empty without any."""
    text = "<br/>".join(map(_escaped, filter(None, lines)))
    return f'"{text}"' if text else ""


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda mark: f"#{ord(mark[0])};", _READ_LATE.sub("\u200b", text))


def _style(look: Look) -> str:
    return (
        f"fill:{look.fill},stroke:{look.stroke},stroke-width:{look.width:g}px,color:{look.text}"
        f"{_DASHES[look.dash]}"
    )
