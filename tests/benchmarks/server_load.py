"""Cost of a turn on the server under load.

Beside it are the engine's own turn and an empty route of FastAPI.
200 sessions of 5 turns over 16 connections, on SQLite and on a PostgreSQL server of the benchmark's own. The
server, the engine without a server, and a FastAPI route that takes the same JSON and gives the same JSON do
the same turns in processes of their own, a tenth of them at a time, one after the other: what else a machine
does falls on all of them alike. Only their own processor time counts, user and system; what PostgreSQL's
processes take is listed apart. The ratio is the server's time to that of engine and route together.

The route is an ``async def``, which costs least; a route that may wait for something, as a turn does for its
database, would be a ``def``, which costs almost twice as much.

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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.benchmarks.raw_client import Address, Connection, connected
from tests.conformance.served import headers, run_input
from tests.conformance.server_process import server_process
from tests.conformance.talks import CONNECTIONS, TURNS, Talk, create_talking, talks, write_script
from tests.store.own_server import OwnServer

ROUNDS, SESSIONS = 10, 20
"""So many sessions in each round; one more round comes first and does not count."""
LIBRARIES = ("fastapi", "starlette", "uvicorn", "pydantic", "sqlalchemy", "psycopg")

Take = Callable[[Connection, Talk], Awaitable[None]]


@dataclass
class Served:
    """Server under load: cost of each round, duration of each response."""

    name: str
    process_id: int
    address: Address
    take: Take
    cpu_ms: list[float] = field(default_factory=list)
    """Of the server's process, for one turn."""
    seconds: list[float] = field(default_factory=list)
    taken: float = 0
    """Seconds for all rounds."""

    def play(self) -> None:
        """One round."""
        before, began = cpu_ms(self.process_id), time.perf_counter()
        self.seconds += asyncio.run(play(self.address, talks(SESSIONS), self.take))
        self.taken += time.perf_counter() - began
        self.cpu_ms.append((cpu_ms(self.process_id) - before) / SESSIONS / TURNS)

    def forget(self) -> None:
        """Begin to count."""
        self.cpu_ms, self.seconds, self.taken = [], [], 0

    def __str__(self) -> str:
        p50, p99 = statistics.median(self.seconds), statistics.quantiles(self.seconds, n=100)[98]
        return (
            f"{self.name:<22}{statistics.mean(self.cpu_ms):6.3f} ms CPU"
            f"{len(self.seconds) / self.taken:7.0f}/s   p50 {p50 * 1000:5.1f} ms   p99 {p99 * 1000:5.1f} ms"
        )


@dataclass
class Engine:
    """The engine in a process without a server."""

    name: str
    process: ProcessPoolExecutor
    cpu_ms: list[float] = field(default_factory=list)

    def play(self) -> None:
        """One round."""
        self.cpu_ms.append(self.process.submit(run_engine).result())

    def forget(self) -> None:
        """Begin to count."""
        self.cpu_ms = []

    def __str__(self) -> str:
        return f"{self.name:<22}{statistics.mean(self.cpu_ms):6.3f} ms CPU"


def main() -> None:
    """Measure and print."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"{platform.platform()}, {_processor()}, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    for repeat in range(repeats):
        count = ROUNDS * SESSIONS
        print(f"\n{count} sessions x {TURNS} turns, {CONNECTIONS} connections, run {repeat + 1}", flush=True)
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            measure(Path(name), stack)


def measure(folder: Path, stack: ExitStack) -> None:
    """One run of everything."""
    scripts = write_script(folder)
    postgres = stack.enter_context(own_postgres())
    pairs: list[tuple[Served, Engine]] = []
    for kind, database in (("SQLite", f"sqlite:///{folder}/runs.sqlite3"), ("PostgreSQL", postgres.url)):
        served, workflow_id = stack.enter_context(our_server(kind, database, folder / kind, scripts))
        pairs.append((served, stack.enter_context(our_engine(kind, database, workflow_id, scripts))))
    answers = answers_of_one_session(pairs[0][0])
    (folder / "answers.json").write_text(json.dumps(answers))
    route = stack.enter_context(empty_route(folder / "answers.json"))
    subjects = [*(subject for pair in pairs for subject in pair), route]

    gc.disable()  # a pause of this process would count as one of the servers'
    theirs = 0.0
    for number in range(1 + ROUNDS):
        for subject in subjects:
            before = postgres_cpu_ms(postgres)
            subject.play()
            if number and subject is pairs[1][0]:
                theirs += postgres_cpu_ms(postgres) - before
            if not number:
                subject.forget()
    gc.enable()

    for subject in subjects:
        print(subject)
    print(f"PostgreSQL's own processes, not counted: {theirs / ROUNDS / SESSIONS / TURNS:.3f} ms CPU a turn")
    for served, engine in pairs:
        ratio = sum(served.cpu_ms) / (sum(engine.cpu_ms) + sum(route.cpu_ms))
        print(f"ratio: {served.name} / ({engine.name} + {route.name}) = {ratio:.2f}")
    sys.stdout.flush()


@contextmanager
def our_server(kind: str, database: str, folder: Path, scripts: Path) -> Iterator[tuple[Served, str]]:
    """The server under test, and the workflow that is run."""
    with server_process(database, folder, scripts) as server, server.client() as api:
        workflow_id = create_talking(api)
        path = f"{api.base_url.path}v1/workflows/{workflow_id}/execute"

        async def take(connection: Connection, talk: Talk) -> None:
            talk.note(json.loads(await connection.post(path, body_of(talk))))

        assert api.base_url.port is not None
        address = Address("127.0.0.1", api.base_url.port, headers())
        yield Served(f"server on {kind}", server.process_id, address, take), workflow_id


@contextmanager
def our_engine(kind: str, database: str, workflow_id: str, scripts: Path) -> Iterator[Engine]:
    """The engine on the same store."""
    with ProcessPoolExecutor(
        1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=open_engine,
        initargs=(database, workflow_id, str(scripts)),
    ) as process:
        yield Engine(f"engine on {kind}", process)


@contextmanager
def empty_route(answers: Path) -> Iterator[Served]:
    """The route that does nothing."""
    command = [sys.executable, "-m", "tests.benchmarks.empty_route", str(answers)]

    async def take(connection: Connection, talk: Talk) -> None:
        result = json.loads(await connection.post(f"/turn/{talk.turn}", body_of(talk)))
        talk.run_id = result["run_id"]
        talk.answers.append(result)

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = Address("127.0.0.1", int(server.stdout.readline()), headers())
        # Each request is a line more, and an unread pipe stops the server once it is full.
        threading.Thread(target=server.stdout.read, daemon=True).start()
        yield Served("empty route", server.pid, address, take)
        server.kill()


engine_in_this_process: tuple[EmbeddedBackend, str]
"""In an engine's process: the engine, and the workflow that it runs."""


def open_engine(database: str, workflow_id: str, scripts: str) -> None:
    """Open the engine in this process."""
    global engine_in_this_process
    engine_in_this_process = EmbeddedBackend(Settings(database=database, scripts=scripts)), workflow_id


def run_engine() -> float:
    """Milliseconds of CPU for one turn of a round in this process."""
    backend, workflow_id = engine_in_this_process
    sessions = talks(SESSIONS)
    inputs = [[input_of(talk, turn) for talk in sessions] for turn in range(1, TURNS + 1)]
    began = time.process_time()
    for row in inputs:
        for talk, wire in zip(sessions, row, strict=True):
            turn_input = TurnInput.from_wire(wire)
            talk.run_id = backend.execute(workflow_id, turn_input, run_id=talk.run_id).finish().run_id
    return (time.process_time() - began) * 1000 / SESSIONS / TURNS


def answers_of_one_session(served: Served) -> list[dict[str, Any]]:
    """Return the server's responses to each turn of a session."""
    talk = Talk("sample")
    asyncio.run(play(served.address, [talk], served.take))
    return talk.answers


async def play(address: Address, sessions: list[Talk], take: Take) -> list[float]:
    """Play all sessions to their end; return the durations."""
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
    """Return the input of a session's turn, in the platform's form."""
    if turn == 1:
        return run_input(run_by=talk.name, dynamic_variables={"name": talk.name})
    return run_input(f"my word is {talk.word(turn)}", command="data")


def body_of(talk: Talk) -> bytes:
    """The body of the request for a session's next turn."""
    run = {"run_id": talk.run_id} if talk.run_id else {}
    return json.dumps({"run_input": input_of(talk, talk.turn), **run}).encode()


@contextmanager
def own_postgres() -> Iterator[OwnServer]:
    """Start a PostgreSQL server for this benchmark alone."""
    server = OwnServer()
    try:
        yield server
    finally:
        server.remove()


def cpu_ms(process_id: int) -> float:
    """Processor time of the threads that a process has."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def postgres_cpu_ms(server: OwnServer) -> float:
    """Processor time of the processes that a PostgreSQL server has."""
    parent = server.process_id
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return sum(cpu_ms(int(process)) for process in (parent, *children))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


if __name__ == "__main__":
    main()
