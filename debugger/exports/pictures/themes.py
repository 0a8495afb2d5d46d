"""Colours of pictures: those of the page, and what each state of a node or edge looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from debugger.exports.pictures.drawing import Frame, Line, Shape

ThemeName = Literal["light", "dark"]

COLOURS: dict[ThemeName, dict[str, str]] = {
    "light": {
        "background": "#ffffff",
        "secondaryBackground": "#f3f6fa",
        "text": "#16202e",
        "border": "#d7dee8",
        "blue": "#1f5fbf",
        "green": "#1a7f4b",
        "red": "#c9372c",
        "orange": "#b3631a",
        "violet": "#7044b8",
        "gray": "#5b6879",
        "blueBackground": "#e8f0fc",
        "greenBackground": "#e6f4ec",
        "redBackground": "#fcebe9",
        "blueText": "#184f9f",
        "greenText": "#14653b",
        "redText": "#ab2a20",
        "orangeText": "#8a4a10",
        "violetText": "#5a3399",
        "grayText": "#4d5969",
    },
    "dark": {
        "background": "#10151d",
        "secondaryBackground": "#1a212c",
        "text": "#e4e9f0",
        "border": "#2f3947",
        "blue": "#5b9bff",
        "green": "#3fb27f",
        "red": "#f0766b",
        "orange": "#e0a14d",
        "violet": "#a98be8",
        "gray": "#94a3b8",
        "blueBackground": "#17273f",
        "greenBackground": "#132b22",
        "redBackground": "#351b1c",
        "blueText": "#8fbaff",
        "greenText": "#70cfa2",
        "redText": "#ff9f96",
        "orangeText": "#f0bd7a",
        "violetText": "#c6b0f5",
        "grayText": "#aab6c6",
    },
}
"""The colours of ``.streamlit/config.toml`` by their names there, without ``Color``."""

Dash = Literal["", "dashed", "dotted"]


@dataclass(frozen=True)
class Look:
    """Colours and line of one node, frame or edge."""

    stroke: str
    width: float
    text: str
    """The colour of its name or label."""
    dash: Dash = ""
    fill: str = ""


_SHAPES: dict[str, tuple[str, str, float, Dash]] = {
    "idle": ("secondaryBackground", "gray", 1.0, ""),
    "unreached": ("background", "gray", 0.8, ""),
    "visited": ("greenBackground", "green", 1.6, ""),
    "next": ("background", "violet", 1.6, "dotted"),
    "current": ("blueBackground", "blue", 3.0, ""),
    "failed": ("redBackground", "red", 3.0, ""),
    "missing": ("background", "gray", 1.2, "dashed"),
}
"""By state: fill, stroke, width in points, pattern. Each tells the state without its colour, too."""
_HEAT = 0.45
"""The share of orange in the tint of a node that took all the time."""


@dataclass(frozen=True)
class Theme:
    """The looks of a picture in one theme of the page."""

    name: ThemeName = "light"

    def __getitem__(self, colour: str) -> str:
        return COLOURS[self.name][colour]

    def shape(self, shape: Shape) -> Look:
        """Return the look of a node by its state; heat takes the place of the state's fill."""
        is_here = shape.mark.state in ("current", "failed")
        state = "missing" if shape.is_missing and not is_here else shape.mark.state
        fill, stroke, width, dash = _SHAPES[state]
        text = "grayText" if state == "unreached" or shape.is_missing or shape.is_disabled else "text"
        if shape.is_missing or shape.is_disabled:
            dash = "dashed"
        filled = self[fill]
        if shape.mark.heat is not None:
            filled = mixed(self["orange"], self["background"], shape.mark.heat * _HEAT)
        return Look(self[stroke], width, self[text], dash, filled)

    def frame(self, frame: Frame) -> Look:
        """Return the look of a frame."""
        if frame.is_thread:
            return Look(self["orange"], 1.2, self["orangeText"], "dashed", self["background"])
        _, stroke, width, dash = _SHAPES[frame.mark.state]
        return Look(self[stroke], min(width, 2.0), self["text"], dash, self["background"])

    def line(self, line: Line) -> Look:
        """Return the look of an edge by its state, and if it is disabled, unmapped or a companion's."""
        if line.mark.state == "taken":
            colour = "orange" if line.mark.is_companion else "gray" if line.is_unmapped else "green"
            dash: Dash = "dashed" if line.is_unmapped or line.forks or line.mark.is_companion else ""
            return Look(self[colour], 2.2, self[f"{colour}Text"], dash)
        if line.mark.state == "next":
            return Look(self["violet"], 1.6, self["violetText"], "dotted")
        return Look(
            self["gray"],
            1.0,
            self["grayText"],
            "dotted" if line.is_disabled else "dashed" if line.forks else "",
        )


def mixed(colour: str, other: str, share: float) -> str:
    """Return a mix of two colours ``#rrggbb``; ``share`` is that of the first, from 0 to 1."""
    parts = zip(bytes.fromhex(colour[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + bytes(round(one * share + two * (1 - share)) for one, two in parts).hex()


LEGEND = (
    ("visited", "greenText", "green: visited"),
    ("current", "blueText", "blue: here"),
    ("next", "violetText", "violet: possible next"),
    ("failed", "redText", "red: failed"),
)
"""State, colour and words of what a picture with a path explains, where it has such a node."""
