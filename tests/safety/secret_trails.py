"""A run with planted secrets, and every output of it."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from debugger.analysis.side_effects import ledgers, side_effects
from debugger.backends.embedded import EmbeddedBackend
from debugger.exports.csv_files import side_effects_csv
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.settings import Settings
from tests.backends.test_secrets import stored, traces
from tests.support.exports import every_text, exported
from tests.support.factories import Json

SECRET = "Pl\u00e4nted-S3cret.77"
"""In no spelling of it is it a word of its own."""
PLANTED = {"WORKFLOW_DEBUGGER_SECRET_SHOP_KEY": SECRET}


@dataclass
class Trail:
    """A run's result, and what it left behind."""

    error: str
    """The errors of all calls of the run."""
    ledger: list[Json]
    text: str
    """Everything that a user, a log, a file or the database could show."""
    hosts: set[str]
    """The hosts whose addresses were looked up."""

    def leaks(self, secret: str = SECRET) -> list[str]:
        """Return the spellings of a secret that were found."""
        lower = secret.lower()
        names = [lower, lower.encode("idna").decode()]
        spellings = traces(secret) | {each for name in names for each in traces(name)}
        return [spelling for spelling in spellings if spelling in self.text]


def execute(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    document: Json,
    turn_input: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = PLANTED,
    log: pytest.LogCaptureFixture | None = None,
    **settings: Any,
) -> Trail:
    """Run one turn of a workflow with every call allowed."""
    hosts: list[str] = []
    look_up = socket.getaddrinfo

    def note(host: Any, *arguments: Any, **more: Any) -> Any:
        hosts.append(str(host))
        return look_up(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", note)
    if log is not None:
        log.set_level(logging.DEBUG)
    policies: Json = {f"outbound_{name}": "live" for name in ("read", "write", "contact")}
    database = folder / "runs.sqlite3"
    backend = EmbeddedBackend(
        Settings(database=f"sqlite:///{database}", **{**policies, **settings}), environment=environment
    )
    made = backend.create_workflow(document)
    run_input = TurnInput.from_wire({**TurnInput.with_message("Go.").to_wire(), **(turn_input or {})})
    turn = backend.execute(made.id, run_input).finish()
    run = backend.run(turn.run_id)
    workflow = backend.workflow(made.id)
    backend.close()
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    logs = turn_logs(run)
    texts = [
        json.dumps([turn.to_wire(), run.to_wire()], ensure_ascii=False),
        repr(turn),
        repr(run),
        stored(database),
        *(path.read_bytes().decode(errors="replace") for path in folder.glob("runs.sqlite3*")),
        log.text if log else "",
        side_effects_csv(turn.run_id, side_effects(logs, ledgers(run))).decode(),
        *(text for _, text in every_text(exported(run, workflow))),
    ]
    ledger = [entry for turn_ledger in ledgers(run).values() for entry in turn_ledger]
    warnings = [event.to_wire().get("warning_message") for one in logs for event in one.events]
    errors = [entry["error"] for entry in ledger]
    return Trail("\n".join(filter(None, [*errors, *warnings])), ledger, "\n".join(texts), set(hosts))
