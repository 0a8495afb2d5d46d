"""Limits of the files that users open: one table for page, server and readers.

A reader of JSON builds a list or an object out of two characters, while all other threads wait: besides the
bytes, what would be built is counted before it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from debugger.errors import InputError


@dataclass(frozen=True)
class FileLimit:
    """The most that is read of a kind of file."""

    noun: str
    megabytes: int
    """Of 1,048,576 bytes, as Streamlit counts them."""
    values: int = 0
    """Values in lists and objects of its JSON; of the lists and objects there may be two fifths as many."""
    advice: str = "Split it"
    """What to do with a larger one."""

    @property
    def max_bytes(self) -> int:
        """Return the limit in bytes."""
        return self.megabytes * 1_048_576

    def check(self, content: bytes, name: str = "") -> None:
        """Refuse a file that is too large.

        Raises:
            InputError: It is.
        """
        if len(content) > self.max_bytes:
            named = f" {name!r}" if name else ""
            raise InputError(
                f"The {self.noun}{named} has {len(content):,} bytes.",
                advice=f"{self.advice}: {self.megabytes} MB ({self.max_bytes:,} bytes) are the most.",
            )

    def check_json(self, text: bytes | str) -> None:
        """Refuse a JSON text from which too much would be built.

        Characters within texts count, too: it is an upper bound. A kind of file without a limit on values (0)
        may have no list and no object.

        Raises:
            InputError: It has too many lists, objects or values.
        """
        containers, separators = (
            (text.count(b"[") + text.count(b"{"), text.count(b","))
            if isinstance(text, bytes)
            else (text.count("[") + text.count("{"), text.count(","))
        )
        most, values = self.values * 2 // 5, containers + separators
        if containers > most or values > self.values:
            raise InputError(
                f"The {self.noun} has about {containers:,} lists and objects and {values:,} values.",
                advice=f"{self.advice}: {most:,} lists and objects and {self.values:,} values are the most.",
            )


RUN_FILE = FileLimit("run file", 20, values=350_000, advice="Export so long a run as JSON Lines or CSV")
"""Some 550 turns: `orjson` holds the interpreter's lock for 0.1 s (2026-12-01)."""
REVIEW_SHEET = FileLimit("sheet", 20)
WORKFLOW_FILE = FileLimit("workflow file", 5, values=280_000)
SCENARIO_FILE = FileLimit("file of a scenario", 20)
"""One of those uploaded together; a YAML file has `yaml_lines.MAX_YAML_CHARACTERS` at most."""
SCRIPT_FILE = FileLimit("script", 1)
FILE_LIMITS = (RUN_FILE, REVIEW_SHEET, WORKFLOW_FILE, SCENARIO_FILE, SCRIPT_FILE)
"""Each kind of file that can be uploaded; ``server.maxUploadSize`` of Streamlit is the largest."""
