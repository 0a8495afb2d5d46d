"""The runs of a scripted server: what it executes, and what its record shows of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

WORKFLOW = "665f00000000000000000001"
RUN = "665f0c2b9a3e4d5f6a7b8c90"
KEY = "sk-very-secret"
ENDS = {"completed", "failed", "cancelled"}


def event(kind, event_id, **fields):
    return {"type": kind, "logical_id": f"event_{event_id}", "origin_thread_id": "0", **fields}


def turn_events(run_id, number):
    """The events of a turn that speaks and waits."""
    name = f"{run_id}_{number}"
    return [
        event("assistant_response", f"{name}_1", content=f"Answer {number}"),
        event("busy_wait_for_user_message", f"{name}_2", origin_node_logical_id="ask"),
        event("end_workflow_iteration", f"{name}_3", iteration_number=number),
        event("workflow_ready_for_input", f"{name}_4", active_companion_thread_ids=[]),
    ]


def message_input(text, **fields):
    """The run input of a message, as another client sends it."""
    messages = [{"type": "human", "content": text}]
    return {
        "command": "data",
        "thread_to_node_inputs": {"0": {"node_run_inputs": [{"messages": messages}]}},
        **fields,
    }


class Records:
    """The runs of a server. Executes a turn by adding it to the run's record.

    Args:
        returns_ids: Whether ``miscellaneous`` of an input is in the record.
    """

    def __init__(self, *, returns_ids=True):
        self.returns_ids = returns_ids
        self.runs = {}

    @property
    def executed(self):
        """The client turn ids, or the texts, of what was executed, in order."""
        return [pair["run_input"] for run in self.runs.values() for pair in run["input_output_pairs"]]

    def add_run(self, *texts, run_id=RUN, status="waiting_for_user_input", age=0.0):
        """Let another client have had turns in a run."""
        self._run(run_id, age=age)
        for text in texts:
            self.execute(message_input(text), run_id)
        self.runs[run_id]["status"] = status
        return self.runs[run_id]

    def execute(self, run_input, run_id=None):
        """Execute a turn and return the answer to it."""
        run_id = self.begin(run_input, run_id)
        return self.finish(run_id)

    def begin(self, run_input, run_id=None, *, is_shown=True):
        """Begin a turn; its pair is in the record, marked as in progress, where it is shown."""
        run = self._run(run_id or self._new_id())
        shown = {key: value for key, value in run_input.items() if self.returns_ids or key != "miscellaneous"}
        pair = {"run_input": shown, "run_output": {"events": []}, "in_progress": True}
        run["status"] = "running"
        run["held" if not is_shown else "input_output_pairs"].append(pair)
        return run["workflow_run_id"]

    def finish(self, run_id, status="waiting_for_user_input"):
        """End the turn that is being executed, and return the answer to it."""
        run = self.runs[run_id]
        run["input_output_pairs"] += run["held"]
        run["held"] = []
        run["status"] = status
        pair = run["input_output_pairs"][-1]
        pair.pop("in_progress", None)
        number = len(run["input_output_pairs"])
        events = turn_events(run_id, number)
        pair["run_output"]["events"] = events if status not in ENDS else events[:1]
        return self.answer(run_id)

    def stop(self, run_id):
        """Stop a run, and return the answer to that."""
        run = self.runs[run_id]
        if any(pair.get("in_progress") for pair in run["input_output_pairs"] + run["held"]):
            return self.finish(run_id, "cancelled")
        run["status"] = "cancelled"
        return self.answer(run_id) | {"events": []}

    def answer(self, run_id):
        """The answer to the run's last turn."""
        run = self.runs[run_id]
        pairs = run["input_output_pairs"]
        return {
            "run_id": run_id,
            "status": run["status"],
            "turn_number": len(pairs),
            "events": pairs[-1]["run_output"]["events"] if pairs else [],
            "is_waiting_for_input": run["status"] == "waiting_for_user_input",
            "is_completed": run["status"] in ENDS,
        }

    def record(self, run_id):
        """The body of a record, or ``None``."""
        run = self.runs.get(run_id)
        if run is None:
            return None
        inner = {key: value for key, value in run.items() if key not in ("held", "created_at")}
        return {"workflow_run": {"_id": run_id, "created_at": run["created_at"], "workflow_run": inner}}

    def rows(self):
        """The body of a list, newest first and without turns."""
        records = [self.record(run_id)["workflow_run"] for run_id in reversed(self.runs)]
        rows = [
            record | {"workflow_run": record["workflow_run"] | {"input_output_pairs": None}}
            for record in records
        ]
        return {"workflow_runs": rows, "total": len(rows)}

    def _run(self, run_id, age=0.0):
        created = datetime.now(UTC) - timedelta(seconds=age)
        blank = {
            "workflow_run_id": run_id,
            "workflow_id": WORKFLOW,
            "status": "waiting_for_user_input",
            "input_output_pairs": [],
            "created_at": created.isoformat(),
            "held": [],
        }
        return self.runs.setdefault(run_id, blank)

    def _new_id(self):
        return RUN if RUN not in self.runs else f"{len(self.runs):024x}"
