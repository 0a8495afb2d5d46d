"""Runs replayed by the command and by a job on SQLite and on PostgreSQL, with the same results."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from typer.testing import CliRunner

from debugger.backends.embedded import EmbeddedBackend
from debugger.cli import main
from debugger.engine.environment import Environment
from debugger.engine.models.base import Reply, ToolCall
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.replays.job import ReplayJob
from debugger.replays.replayer import Replayer
from debugger.settings import Settings
from debugger.store import ReplayTarget
from tests.support.companions import lab
from tests.support.factories import document, say, static, when
from tests.support.no_sockets import no_sockets
from tests.support.postgres import a_database, a_schema
from tests.support.replays import Clock

TOOLS = [
    {"type": "inline_python", "name": name, "code": f"def {name}():\n    return '{name}'"}
    for name in ("rooms", "doctors")
]


class Model:
    """Calls two tools at once, or speaks."""

    def reply(self, prompt):
        if prompt.tools and not prompt.exchange:
            return Reply(calls=(ToolCall("rooms", {}), ToolCall("doctors", {})), model="fake")
        return Reply(text="Grüße, ✓ 预约.", model="fake")


def desk(*, booking="booking", prompt="Talk.", greeting="Which bill?"):
    ends = {"book": booking, "bill": "billing", "talk": "chat", "call": "caller"}
    return document(
        static("desk", "Good day."),
        static("booking", "Which day?"),
        static("billing", greeting),
        say("chat", prompt),
        say("caller", tools_config={"tools": TOOLS}),
        *(
            when("desk", end, f"{{{{kind}}}} == '{kind}'", name=kind, logical_id=f"edge_{kind}")
            for kind, end in ends.items()
        ),
        defaults={"kind": ""},
        name="Desk",
    )


WORKFLOWS = {
    "Desk": (
        desk(),
        desk(booking="chat", prompt="Talk more.", greeting="Which invoice?"),
    ),
    "Lab": (lab(checks=3, name="Lab"), lab(checks=5, name="Lab")),
}
EXPECTED = {
    "book": ("path", 1, (1, "desk", "book → Booking", "book → Chat", "")),
    "bill": ("words", 1, (1, "billing", "Which bill?", "Which invoice?", "")),
    "talk": ("needs_model", 2, (2, "chat", "'Talk.'", "'Talk more.'", "system")),
    "call": ("same", 2, None),
    "poll": ("path", 1, (1, "poll", "→ Landing", "no transition", "")),
}


def record(backend, clock):
    """The ids of the workflows, and the names of runs: one of the desk for each kind, and one that polls."""
    made = {name: backend.create_workflow(first).id for name, (first, _) in WORKFLOWS.items()}
    runs = {}
    for kind in ("book", "bill", "talk", "call"):
        start = TurnInput.with_message(None, dynamic_variables={"kind": kind})
        result = backend.execute(made["Desk"], start).finish()
        if kind in ("talk", "call"):
            more = TurnInput.with_message("Yes, please", command="data")
            backend.execute(made["Desk"], more, run_id=result.run_id).finish()
        runs[result.run_id] = kind
    result = backend.execute(made["Lab"], TurnInput.with_message(None)).finish()
    for _ in range(2):
        clock.seconds += 3
        backend.pump(made["Lab"], result.run_id).finish()
    runs[result.run_id] = "poll"
    called = next(backend.run(run_id) for run_id, kind in runs.items() if kind == "call")
    spoken = [event for log in turn_logs(called) for event in log.events if event.type == "say_llm"]
    assert len(spoken) == 4  # the calls, a result of each, and the answer
    for name, (_, changed) in WORKFLOWS.items():
        backend.import_version(made[name], changed, expected=1)
    assert len(backend.run(result.run_id).finished_turns) == 3
    return made, runs


def facts(result):
    """Return what does not differ from run to run."""
    found = result["divergence"]
    names = ("turn", "node_id", "before", "after", "subject")
    return result["verdict"], result["turns"], found and tuple(found[name] for name in names)


def replay_by_command(url, folder, workflow):
    """The results in a report of the command."""
    report = folder / f"{workflow}.json"
    arguments = ["--filter", f"workflow={workflow}", "--version", "1", "--threads", "2", "--no-mask"]
    done = CliRunner().invoke(main, ["replay", "--database", url, *arguments, "--json", str(report)])
    assert done.exit_code == 1, done.output
    return json.loads(report.read_text(encoding="utf-8"))["results"]


def replay_by_job(backend, workflow_id, run_ids):
    """The stored results of a job, as of the page; nothing is called (libpq is not seen)."""
    replays, target = backend.store.replays, ReplayTarget(workflow_id, 1, "d" * 64)
    play = Replayer(backend, workflow_id, 1, options=backend.engine_options).replay
    job = ReplayJob(play, replays, target, run_ids, started_by="Ada", selected=len(run_ids), threads=2)
    with no_sockets():
        job.start()
        assert job.wait(60)
    assert job.error is None
    return [each.result for each in replays.all_results(job.replay_id)]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs.sqlite3"
        return
    with a_database() as name, a_schema(name) as url:
        yield url


def test_results_are_the_same(url, tmp_path):
    clock = Clock()
    world = Environment(now=clock.now, sleep=clock.sleep)
    settings = Settings(database=url, inline_python="unsafe")
    with closing(EmbeddedBackend(settings, model=Model(), world=world)) as backend:
        made, runs = record(backend, clock)
        by_job = []
        for workflow_id in made.values():
            own = [run.workflow_run_id for run in backend.runs(workflow_id=workflow_id).rows]
            by_job += replay_by_job(backend, workflow_id, own)
    by_command = [each for name in WORKFLOWS for each in replay_by_command(url, tmp_path, name)]

    assert {runs[each["run_id"]]: facts(each) for each in by_job} == EXPECTED
    assert {runs[each["run_id"]]: facts(each) for each in by_command} == EXPECTED
