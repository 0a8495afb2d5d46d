"""Graphviz as a layout engine, run as a command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from debugger.graph.dot import drawing_to_dot
from debugger.graph.drawing import Drawing
from debugger.graph.geometry import Placement, Point, Route, bezier

TIMEOUT = 6.0
"""Seconds after which a layout is not worth waiting for."""

_MARGIN = 6.0


class EngineFailure(Exception):
    """The command gave no layout; the text says why."""


def find_commands() -> list[str]:
    """The Graphviz commands at hand, best first: the one of this environment, then those on the ``PATH``."""
    here = str(Path(sys.executable).parent)
    found = (shutil.which("graphviz-pure", path=here), shutil.which("graphviz-pure"), shutil.which("dot"))
    return list(dict.fromkeys(filter(None, found)))


def place(drawing: Drawing, command: str, *, timeout: float) -> Placement:
    """Have a drawing laid out by a Graphviz command.

    Args:
        drawing: What to lay out.
        command: Path of the program.
        timeout: Seconds after which it is ended.

    Raises:
        EngineFailure: It cannot be started, fails, takes too long, or answers something else than a layout.
    """
    try:
        done = subprocess.run(
            [command, "-Tjson0"],
            input=drawing_to_dot(drawing).encode(),
            capture_output=True,
            timeout=timeout,
            check=True,
        )
        return _Answer(json.loads(done.stdout)).placement(drawing)
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineFailure(f"{command}: {error}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise EngineFailure(f"{command} answered what is no layout: {error!r}") from error


class _Answer:
    """The JSON that Graphviz writes. It counts y upwards and sizes in inches."""

    def __init__(self, graph: dict[str, Any]) -> None:
        left, bottom, right, top = (float(number) for number in graph["bb"].split(","))
        self.width, self.height = right - left + 2 * _MARGIN, top - bottom + 2 * _MARGIN
        self._left, self._top = left, top
        self._nodes = {node["name"]: node for node in graph.get("objects", ())}
        self._edges = {edge["id"]: edge for edge in graph.get("edges", ())}

    def placement(self, drawing: Drawing) -> Placement:
        return Placement(
            self.width,
            self.height,
            tuple(self._point(self._nodes[f"n{index}"]["pos"]) for index in range(len(drawing.boxes))),
            tuple(self._route(self._edges[f"e{index}"]) for index in range(len(drawing.arrows))),
        )

    def _route(self, edge: dict[str, Any]) -> Route:
        label_at = self._point(edge["lp"]) if "lp" in edge else None
        return Route(self._path(edge["pos"].split(";")[0].split()), label_at)

    def _path(self, words: list[str]) -> str:
        """A B-spline as Graphviz writes it: ``e,x,y`` is the tip of the arrow, the rest are the curve."""
        tips = [word for word in words if word.startswith("e,")]
        curve = [self._point(word) for word in words if word[:2] not in ("e,", "s,")]
        tip = "".join(f"L{x:.1f},{y:.1f}" for x, y in (self._point(word[2:]) for word in tips))
        return bezier(curve) + tip

    def _point(self, text: str) -> Point:
        x, y = (float(number) for number in text.rstrip("!").split(",")[:2])
        return x - self._left + _MARGIN, self._top - y + _MARGIN
