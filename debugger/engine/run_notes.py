"""Warnings about a workflow as a whole, for the first turn of each run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from debugger.graph.checks import describe_refusals, save_errors
from debugger.graph.offline_limits import OfflineLimit, offline_limits
from debugger.protocol.workflow import Workflow


class RunNote(NamedTuple):
    """A warning about a workflow as a whole."""

    text: str
    secret: str = ""
    """The secret that makes it needless; empty where none does."""
    variable: str = ""
    """The dynamic variable that makes it needless; empty where none does."""


def run_notes(authored: Workflow, expanded: Workflow, warnings: Iterable[str] = ()) -> tuple[RunNote, ...]:
    """Return a note for each thing that the platform refuses or has alone, each text once.

    The warnings come first, then broken rules of saving, then what cannot run offline. A workflow that breaks
    a rule of saving runs all the same, where it can: it may have been stored before the rule was checked.

    Args:
        authored: The workflow as it is stored, without those that its super nodes stand for.
        expanded: The workflow that runs, without super nodes; what several places in it use is named once.
        warnings: Those of the expansion, also of rules that an inner workflow breaks, which come first.

    Source: ``platform.md#validation`` and ``platform.md#offline-limits``.
    """
    refused = describe_refusals(save_errors(authored))
    limits: dict[tuple[str, str, str], OfflineLimit] = {}
    for limit in offline_limits(expanded):
        limits.setdefault((limit.name, limit.item, limit.secret), limit)
    alone = (
        RunNote(f"{limit.sentence} {limit.advice}", limit.secret, limit.variable) for limit in limits.values()
    )
    return tuple(dict.fromkeys((*map(RunNote, (*warnings, *refused)), *alone)))
