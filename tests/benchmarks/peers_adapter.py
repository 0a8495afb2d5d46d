"""The engine behind the contract of the shared bench.

It writes its own events to its own store, as users run it.
Run from the repository, with the bench's folder of peers installed beside it::

    PYTHONPATH=.:tests/benchmarks python ../shared/bench/peers.py --candidate peers_adapter:make
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.models.base import Prompt, Reply
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun
from debugger.protocol.events import AssistantResponseEvent, Event, UserMessagesEvent
from debugger.protocol.messages import message_text
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.protocol.workflow import NodeConfig
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say, static, when

GREETING = "Hello! Say anything and I will repeat it; say bye to leave."
LINE, LOOP = 100, 1000


class Echo:
    """Model that is a function, as the nodes of the others are."""

    def reply(self, prompt: Prompt) -> Reply:
        """Say what was said."""
        return Reply(text=f"You said: {prompt.message}", fields={"last": prompt.message}, model="echo")


class IncrementConfig(NodeConfig):
    """The variable to count up."""

    variable: str = "count"


class IncrementNode(Node[IncrementConfig]):
    """Node that adds one to a runtime variable.

    It is the bench's unit of work, since no platform node is that small.
    """

    Config = IncrementConfig

    def run(self, context: NodeContext) -> NodeRun:
        """Count."""
        yield from ()
        name = self.config.variable
        self.write(context, {name: context.thread.runtime_variables.get(name, 0) + 1})
        return NodeResult()


NODE_TYPES["benchmark_increment"] = IncrementNode


def chat() -> dict[str, Any]:
    """Greet, then repeat what is said until it is `bye`."""
    schema = {"type": "object", "properties": {"last": {"type": "string"}}}
    return document(
        static("greeting", GREETING),
        say("echo", "Repeat what is said.", structured_output_schema=schema),
        node("leave", "no_op"),
        direct("greeting", "echo"),
        when("echo", "leave", "[[last]] == 'bye'"),
    )


def line() -> dict[str, Any]:
    """A straight line of nodes that count."""
    nodes = [node(f"n{number}", "benchmark_increment", variable="n") for number in range(LINE)]
    edges = [direct(f"n{number}", f"n{number + 1}") for number in range(LINE - 1)]
    return document(*nodes, *edges)


def loop() -> dict[str, Any]:
    """Return one node that counts and loops until a limit."""
    return document(
        node("counter", "benchmark_increment"),
        node("done", "no_op"),
        {**when("counter", "counter", f"[[count]] < {LOOP}"), "logical_id": "again"},
        {**when("counter", "done", f"[[count]] >= {LOOP}"), "logical_id": "onward"},
    )


@dataclass
class Session:
    """A run as the driver holds it."""

    workflow_id: str
    sid: str
    run_id: str | None = None


class OurAdapter:
    """The embedded backend behind the bench's contract."""

    name = "ours"
    durable = "one row per turn (events and state) + the run's row, one transaction; WAL/NORMAL"

    def __init__(self, root: Path) -> None:
        self.root = root
        database = f"sqlite:///{root / 'bench.sqlite3'}"
        self._backend = EmbeddedBackend(Settings(database=database, max_node_runs=LOOP + 10), model=Echo())
        self._notes = root / "runs.txt"
        self._run_ids = (
            dict(row.split() for row in self._notes.read_text().splitlines()) if self._notes.exists() else {}
        )
        self._workflows = self._known_workflows()

    def start(self, workflow: str, sid: str) -> Session:
        """A new session; its run begins with the first turn."""
        return Session(self._workflows[workflow], sid)

    def open(self, workflow: str, sid: str) -> Session:
        """Open a stored session.

        All but its run id is read from the store with each turn.
        """
        return Session(self._workflows[workflow], sid, self._run_ids[sid])

    def turn(self, session: Session, text: str | None) -> list[dict[str, Any]]:
        """One turn, durable on return."""
        turn_input = TurnInput.with_message(
            text, run_by=session.sid, command="start" if text is None else "data"
        )
        result = self._backend.execute(session.workflow_id, turn_input, run_id=session.run_id).finish()
        if session.run_id is None:
            session.run_id = self._run_ids[session.sid] = result.run_id
            with self._notes.open("a", encoding="utf-8") as notes:
                notes.write(f"{session.sid} {result.run_id}\n")
        return result.events

    def drop(self, session: Session) -> None:
        """Do nothing; a session has no state in memory."""

    def audit(self, workflow: str, sid: str) -> dict[str, Any]:
        """Return the stored data of a session."""
        run = self._backend.run(self._run_ids[sid])
        events = [event for turn in turn_logs(run) for event in turn.events]
        shown = [
            event.to_wire()["runtime_variables"] for event in events if event.type == "workflow_show_state"
        ]
        last = shown[-1] if shown else {}
        return {
            "messages": [text for event in events for text in _texts(event)],
            "node_runs": sum(event.type == "end_node_run" for event in events),
            "value": last.get("n", last.get("count")),
            "done": run.is_over,
        }

    def close(self) -> None:
        """Close the store."""
        self._backend.close()

    def _known_workflows(self) -> dict[str, str]:
        stored = {str(row.name): row.id for row in self._backend.workflows()}
        for name, make in (("chat", chat), ("line", line), ("loop", loop)):
            if name not in stored:
                stored[name] = self._backend.create_workflow(make(), name=name).id
        return stored


def _texts(event: Event) -> list[str]:
    if isinstance(event, UserMessagesEvent):
        return [message_text(message) for message in event.messages]
    return [event.words] if isinstance(event, AssistantResponseEvent) else []


def make(root: Path) -> OurAdapter:
    """Return the adapter for the bench."""
    return OurAdapter(root)
