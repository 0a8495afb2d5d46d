"""Pictures as Mermaid text, which wikis and code hosts draw."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from debugger.exports.pictures.drawing import Drawing, Frame
from debugger.exports.pictures.themes import Dash, Look, Theme

_SPECIAL = re.compile(r"[!-/:-@\[-`{-~]")
"""Marks of ASCII. Several mean something inside quotes, too: ``"``, ``#``, ``;``, a backtick, ``1.``."""
_DASHES: dict[Dash, str] = {"": "", "dashed": ",stroke-dasharray:6 4", "dotted": ",stroke-dasharray:2 3"}


def mermaid_text(drawing: Drawing, theme: Theme) -> str:
    """Return a picture as a flowchart of Mermaid.

    Ids are ``n0`` and ``g0``; in texts every mark of ASCII is an entity, so that none means anything.
    Mermaid itself refuses more than 500 edges or 50,000 characters unless its page is set up for them.
    """
    return "\n".join(_lines(drawing, theme)) + "\n"


def _lines(drawing: Drawing, theme: Theme) -> Iterator[str]:
    yield from ("---", f"title: {json.dumps(drawing.title)}", "---")
    yield f"flowchart {'TD' if drawing.direction == 'down' else 'LR'}"
    yield from _level("", drawing, "    ")
    for line in drawing.lines:
        words = _joined([" ".join(filter(None, (line.mark.steps, *line.label[:1]))), *line.label[1:]])
        arrow = "-.->" if theme.line(line).dash else "-->"
        yield f"    {line.source} {arrow}{f'|{words}|' if words else ''} {line.target}"
    for shape in drawing.shapes:
        yield f"    style {shape.key} {_style(theme.shape(shape))}"
    for frame in drawing.frames:
        yield f"    style {frame.key} {_style(theme.frame(frame))}"
    for place, line in enumerate(drawing.lines):
        look = theme.line(line)
        yield f"    linkStyle {place} stroke:{look.stroke},stroke-width:{look.width:g}px,color:{look.text}"


def _level(frame: str, drawing: Drawing, indent: str) -> Iterator[str]:
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
    text = "<br/>".join(_SPECIAL.sub(lambda mark: f"#{ord(mark[0])};", line) for line in lines if line)
    text = text.replace("#92;n", "#92;#8203;n")  # it would be a line's end, after entities are read, too
    return f'"{text}"' if text else ""


def _style(look: Look) -> str:
    return (
        f"fill:{look.fill},stroke:{look.stroke},stroke-width:{look.width:g}px,color:{look.text}"
        f"{_DASHES[look.dash]}"
    )
