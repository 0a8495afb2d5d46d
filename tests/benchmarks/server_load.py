"""What a turn costs the server under load, beside the engine's own turn and an empty route of FastAPI.

200 sessions of 5 turns over 16 connections, on SQLite and on a PostgreSQL server of the benchmark's own.
Three processes do the same 1,000 turns one after the other: the server, the engine without a server, and a
FastAPI route that takes the same JSON and gives the same JSON. Only their own processor time counts, user and
system; what PostgreSQL's processes take is printed apart.

Run from the top of the repository: ``python -m tests.benchmarks.server_load [REPEATS]``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import platform
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.benchmarks.raw_client import Address, Connection, connected
from tests.benchmarks.server_process import Costs
from tests.conformance.served import headers, run_input
from tests.conformance.server_process import server_process
from tests.conformance.talks import CONNECTIONS, TURNS, Talk, create_talking, talks, write_script
from tests.store.own_server import OwnServer

SESSIONS = 200
WARM_UP = 40
"""Sessions before those that count."""
LIBRARIES = ("fastapi", "starlette", "uvicorn", "pydantic", "sqlalchemy", "psycopg")

Take = Callable[[Connection, Talk], Awaitable[None]]


@dataclass(frozen=True)
class Load:
    """What 1,000 turns or requests cost and took."""

    cpu_ms: float
    """Of the server's process, for one."""
    per_second: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return (
            f"{self.cpu_ms:6.3f} ms CPU  {self.per_second:6.0f}/s  "
            f"p50 {self.p50_ms:5.1f} ms  p99 {self.p99_ms:5.1f} ms"
        )


def main() -> None:
    """Measure and print."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"{platform.platform()}, {_processor()}, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    for repeat in range(repeats):
        print(
            f"\n{SESSIONS} sessions x {TURNS} turns, {CONNECTIONS} connections, run {repeat + 1}", flush=True
        )
        with tempfile.TemporaryDirectory() as name:
            measure(Path(name))


def measure(folder: Path) -> None:
    """One run of everything."""
    scripts = write_script(folder)
    answers = folder / "answers.json"
    turns: dict[str, tuple[Load, float]] = {}
    with own_postgres() as postgres:
        for kind, database in (("SQLite", f"sqlite:///{folder}/runs.sqlite3"), ("PostgreSQL", postgres.url)):
            before = postgres_cpu_ms(postgres)
            load, sample = served_turns(database, folder / kind, scripts)
            theirs = (postgres_cpu_ms(postgres) - before) / (SESSIONS + WARM_UP) / TURNS
            answers.write_text(json.dumps(sample.answers))
            turns[kind] = load, engine_turns(database, scripts)
            print(f"server on {kind:<12} {load}")
            print(f"engine on {kind:<12} {turns[kind][1]:6.3f} ms CPU")
            if kind == "PostgreSQL":
                print(f"PostgreSQL's own processes, not counted: {theirs:.3f} ms CPU a turn")
    for way in ("async", "sync"):
        load = empty_requests(answers, way)
        print(f"empty route ({way:<5})     {load}")
        for kind, (served, engine) in turns.items():
            print(f"    ratio on {kind:<11} {served.cpu_ms / (engine + load.cpu_ms):.2f}", flush=True)


def served_turns(database: str, folder: Path, scripts: Path) -> tuple[Load, Talk]:
    """The turns through the server; gives also one of the sessions."""
    with server_process(database, folder, scripts) as server, server.client() as api:
        workflow_id = create_talking(api)
        path = f"{api.base_url.path}v1/workflows/{workflow_id}/execute"

        async def take(connection: Connection, talk: Talk) -> None:
            talk.note(json.loads(await connection.post(path, body_of(talk))))

        sessions = talks(SESSIONS)
        load = measured(server.process_id, api.base_url.port, talks(WARM_UP), sessions, take)
    return load, sessions[0]


def engine_turns(database: str, scripts: Path) -> float:
    """Milliseconds of CPU for one of the same turns in a process without a server."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(run_engine, database, str(scripts)).result()


def run_engine(database: str, scripts: str) -> float:
    """The same, in this process."""
    backend = EmbeddedBackend(Settings(database=database, scripts=scripts))
    workflow_id = backend.workflows(search="Tea")[0].id
    for sessions in (talks(WARM_UP), talks(SESSIONS)):
        inputs = [[input_of(talk, turn) for talk in sessions] for turn in range(1, TURNS + 1)]
        began = time.process_time()
        for row in inputs:
            for talk, wire in zip(sessions, row, strict=True):
                given = TurnInput.from_wire(wire)
                talk.run_id = backend.execute(workflow_id, given, run_id=talk.run_id).finish().run_id
        taken = time.process_time() - began
    backend.close()
    return taken * 1000 / SESSIONS / TURNS


def empty_requests(answers: Path, way: str) -> Load:
    """The same requests to a route that does nothing."""
    command = [sys.executable, "-m", "tests.benchmarks.empty_route", str(answers), way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        # Each request is a line more, and a pipe that nobody reads stops the server once it is full.
        threading.Thread(target=server.stdout.read, daemon=True).start()

        async def take(connection: Connection, talk: Talk) -> None:
            result = json.loads(await connection.post(f"/turn/{talk.turn}", body_of(talk)))
            talk.run_id = result["run_id"]
            talk.answers.append(result)

        try:
            return measured(server.pid, port, talks(WARM_UP), talks(SESSIONS), take)
        finally:
            server.kill()


def measured(
    process_id: int, port: int | None, warm_up: list[Talk], sessions: list[Talk], take: Take
) -> Load:
    """Play sessions on a server, and others before them."""
    assert port is not None
    address = Address("127.0.0.1", port, headers())
    gc.disable()  # a pause of this process would count as one of the server's
    asyncio.run(play(address, warm_up, take))
    costs = Costs("", process_id)
    began, cpu_ms = time.perf_counter(), costs.cpu_ms
    seconds = sorted(asyncio.run(play(address, sessions, take)))
    taken, cpu_ms = time.perf_counter() - began, costs.cpu_ms - cpu_ms
    gc.enable()
    count = len(seconds)
    return Load(
        cpu_ms / count, count / taken, statistics.median(seconds) * 1000, seconds[count * 99 // 100] * 1000
    )


async def play(address: Address, sessions: list[Talk], take: Take) -> list[float]:
    """Play all sessions to their end, and say how long each answer took."""
    waiting: queue.SimpleQueue[Talk] = queue.SimpleQueue()
    for talk in sessions:
        waiting.put(talk)
    seconds: list[float] = []

    async def go_on() -> None:
        async with connected(address, seconds) as connection:
            while not waiting.empty():
                talk = waiting.get()
                await take(connection, talk)
                if not talk.is_over:
                    waiting.put(talk)

    await asyncio.gather(*(go_on() for _ in range(CONNECTIONS)))
    return seconds


def input_of(talk: Talk, turn: int) -> dict[str, Any]:
    """What a session sends in one of its turns, as the platform's client writes it."""
    if turn == 1:
        return run_input(run_by=talk.name, dynamic_variables={"name": talk.name})
    return run_input(f"my word is {talk.word(turn)}", command="data")


def body_of(talk: Talk) -> bytes:
    """The body of the request for a session's next turn."""
    run = {"run_id": talk.run_id} if talk.run_id else {}
    return json.dumps({"run_input": input_of(talk, talk.turn), **run}).encode()


@contextmanager
def own_postgres() -> Iterator[OwnServer]:
    """A PostgreSQL server that nobody else uses."""
    server = OwnServer()
    try:
        yield server
    finally:
        server.remove()


def postgres_cpu_ms(server: OwnServer) -> float:
    """Processor time of a PostgreSQL server's processes, those that have ended among them."""
    parent = server.process_id
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ended = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[13:15]
    return sum(Costs("", int(child)).cpu_ms for child in (parent, *children)) + sum(map(int, ended)) * 10


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    main()
