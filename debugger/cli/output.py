"""Output of commands: names and texts of data move no cursor and colour nothing."""

from __future__ import annotations

import json
from typing import Any

import typer

from debugger.telemetry.logs import CONTROLS, escape_controls

_JSON_ESCAPES = {code: f"\\u{code:04x}" for code in CONTROLS if code >= 0x7F}
"""Pattern of the controls that JSON leaves as they are."""


def say(text: str, *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Print lines, with control characters escaped.

    A value that must not begin a line of its own is escaped before, as one line.

    Args:
        text: The lines.
        err: Whether they go to the error output.
        nl: Whether a line end follows.
        style: Of `typer.secho`.
    """
    typer.secho(escape_controls(text, is_one_line=False), err=err, nl=nl, **style)


def say_json(value: Any, indent: int | None = None) -> None:
    """Print a value as JSON, with control characters escaped."""
    typer.echo(json.dumps(value, indent=indent, ensure_ascii=False).translate(_JSON_ESCAPES))
