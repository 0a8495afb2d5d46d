"""Suites on a Dask cluster, whose workers share the PostgreSQL store of the command."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from distributed import Client, Future, KilledWorker, Worker, WorkerPlugin, get_worker

from debugger.engine.models import Script
from debugger.engine.outbound.gateway import stricter
from debugger.errors import DebuggerError, InputError, SettingsError
from debugger.graph import load_workflow
from debugger.protocol.base import JsonObject
from debugger.scenarios.connections import Connections, find_connection
from debugger.scenarios.history import SuiteHistory
from debugger.scenarios.model import Calls
from debugger.scenarios.preparation import EMBEDDED
from debugger.scenarios.results import RepetitionResult, ScenarioResult
from debugger.scenarios.suite import Case
from debugger.settings import Settings, read_settings
from debugger.store import new_id, program_version

CONNECT_SECONDS = 10
"""Time in which scheduler and first worker must answer."""
MAX_SECONDS_WITHOUT_WORKERS = 60
RETRIES = 3
"""Further attempts after an error of a worker; for workers that die the cluster has its own limit."""

_POLL_SECONDS = 0.5
_OWN_SETTINGS = {"database", "encryption_key", "hosted", "scripts", "scenarios", "knowledge"}
"""Settings of each worker's environment: secrets, and folders of its machine."""


@dataclass
class DistributedExecution:
    """Runs cases on a cluster, as many at once as its workers have threads.

    A case whose worker dies is run by another one, and its result is stored once.
    """

    address: str
    """The scheduler's, as in ``tcp://host:8786``."""
    settings: Settings
    history: SuiteHistory
    """Stores results; its start is stored before `run`, by which workers know the database."""
    bail: bool = False
    """Begin no other case after one that did not pass."""

    def run(self, cases: Sequence[Case], cancelled: threading.Event) -> Iterator[tuple[Case, ScenarioResult]]:
        """Yield results as they come, each stored before, until all are there or ``cancelled`` is set.

        Without cases nothing is connected. At the end, also by an error, the workers end what still runs.
        Where the cluster cannot be used, the start of the suite run is deleted again.

        Raises:
            InputError: The cluster cannot be reached or used; nothing was run.
            SettingsError: A worker has another database or connection; nothing was run.
            DebuggerError: The cluster was lost; results so far are stored.
        """
        if not cases:
            return
        name = f"workflow-debugger {self.history.suite_id}"
        try:
            client = self._client()
        except DebuggerError:
            self.history.withdraw()
            raise
        with client:
            try:
                self._prepare(client, name, cases)
                yield from self._results(client, name, cases, cancelled)
            finally:
                with contextlib.suppress(OSError):
                    client.unregister_worker_plugin(name)  # ends and waits for what still runs

    def _client(self) -> Client:
        """Return a client of the scheduler, once a worker is there; the caller closes it.

        Log messages of Dask's client below ``CRITICAL`` are switched off for the process.

        Raises:
            InputError: No scheduler answers in time, or it has no worker.
        """
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # its errors are raised here
        try:
            client = Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"No Dask scheduler answers at {self.address!r}.",
                advice="Start one with `dask scheduler`; the address is as tcp://host:8786.",
            ) from error
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError as error:
            client.close()
            raise InputError(
                f"The Dask scheduler at {self.address!r} has no worker.",
                advice=f"Start some with `dask worker {self.address}`.",
            ) from error
        return client

    def _prepare(self, client: Client, name: str, cases: Sequence[Case]) -> None:
        """Let every worker open the store, later ones too.

        Raises:
            DebuggerError: A worker cannot be used as it is set up. The start of the suite run is deleted.
            InputError: Workers lack this program, or have another version of it. The start is deleted, too.
        """
        hosted = {case.scenario.connection for case in cases if not case.mistakes} - {EMBEDDED}
        plugin = _SuiteWorker(
            self.history.suite_id,
            self.settings.model_dump(exclude=_OWN_SETTINGS, exclude_unset=True),
            {each: _described(each, self.settings) for each in hosted},
        )
        try:
            client.register_plugin(plugin, name)
        except Exception as error:
            self.history.withdraw()
            raise error if isinstance(error, DebuggerError) else _unusable(error) from error

    def _results(
        self, client: Client, name: str, cases: Sequence[Case], cancelled: threading.Event
    ) -> Iterator[tuple[Case, ScenarioResult]]:
        """Submit cases to Dask, one for each free thread, and yield their results as they arrive.

        Each result is stored before it is yielded. What is running at the end is cancelled.

        Raises:
            DebuggerError: The scheduler or all workers are lost.
        """
        waiting, attempt = iter(cases), new_id()
        running: dict[object, tuple[Case, Future[Any]]] = {}
        ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        is_stopped, worked_at = False, time.monotonic()
        try:
            while True:
                threads = sum(client.nthreads().values())
                if threads:
                    worked_at = time.monotonic()
                elif time.monotonic() - worked_at > MAX_SECONDS_WITHOUT_WORKERS:
                    raise _lost(f"The Dask cluster has had no worker for {MAX_SECONDS_WITHOUT_WORKERS} s.")
                # No more than are run at once: what has begun is little when it must stop.
                free = 0 if is_stopped else max(threads, 1) - len(running)
                for case in islice(waiting, max(free, 0)):
                    key = f"{case.id} {attempt}"
                    future = client.submit(_Task(case, name), key=key, pure=False, retries=RETRIES)
                    running[key] = case, future
                    future.add_done_callback(ended.put)
                if cancelled.is_set() or not running:
                    break
                try:
                    case, future = running.pop(ended.get(timeout=_POLL_SECONDS).key)
                except queue.Empty:
                    continue
                result = _result(case, future)
                if result is None:
                    continue
                self.history.record(case, result)
                is_stopped = is_stopped or (self.bail and result.outcome != "passed")
                yield case, result
        except OSError as error:
            raise _lost("The connection to the Dask scheduler was lost.") from error
        finally:
            with contextlib.suppress(OSError, CancelledError):
                client.cancel([future for _, future in running.values()])


class _SuiteWorker(WorkerPlugin):
    """A worker's store and connections during one suite run.

    Neither the database's URL nor a key is sent to it: it reads its own environment.
    """

    def __init__(self, suite_id: str, settings: JsonObject, hosted: Mapping[str, JsonObject]) -> None:
        self._suite_id = suite_id
        self._settings = settings
        self._hosted = hosted
        self._version = program_version()

    async def setup(self, worker: Worker) -> None:
        """Open the store and connections, when a worker begins.

        Raises:
            SettingsError: The worker has another version, database or connection than the suite's command.
        """
        self._address = worker.address
        self._lock = threading.Lock()
        self._runners = threading.local()
        self._cancelled = threading.Event()
        self._busy: set[object] = set()
        self._connections: Connections | None = None
        await asyncio.to_thread(self._open)

    async def teardown(self, worker: Worker) -> None:
        """End what runs, and close the store."""
        self._cancelled.set()
        while self._busy:
            await asyncio.sleep(_POLL_SECONDS / 10)
        if self._connections is not None:
            self._connections.close()

    def run(self, case: Case) -> list[RepetitionResult] | None:
        """Return the repetitions of a case, with the thread's own runner.

        ``None`` where the suite run was ended.

        Raises:
            SettingsError: The worker's store or connections cannot be used.
        """
        token = object()
        self._busy.add(token)
        try:
            connections = self._open()
            if not hasattr(self._runners, "own"):
                self._runners.own = connections.runner()
            result = case.run(self._runners.own, self._cancelled)
        finally:
            self._busy.discard(token)
        return result.repetitions if result else None

    def _open(self) -> Connections:
        """Return the worker's connections, opened at the first call.

        Raises:
            SettingsError: The worker has another version, database or connection than the suite's command.
        """
        with self._lock:
            if self._connections is None:
                settings = worker_settings(read_settings(), self._settings)
                self._check(settings)
                connections = Connections(settings)
                if not connections.embedded.store.suites.has(self._suite_id):
                    connections.close()
                    raise self._problem("uses another database than this command")
                self._connections = connections
            return self._connections

    def _check(self, settings: Settings) -> None:
        """Compare version, kind of database and hosted connections with those of the suite's command.

        Raises:
            SettingsError: One of them is another.
        """
        if program_version() != self._version:
            raise self._problem(f"has version {program_version()!r}, this command {self._version!r}")
        if not settings.database_url.startswith("postgresql"):
            raise self._problem("has no PostgreSQL database")
        for name, expected in self._hosted.items():
            if _described(name, settings) != expected:
                raise self._problem(f"has other settings of the connection {name}")

    def _problem(self, what: str) -> SettingsError:
        return SettingsError(
            f"The Dask worker {self._address} {what}.",
            advice="Start it with the version, WORKFLOW_DEBUGGER_DATABASE and connections of this command.",
        )


def worker_settings(own: Settings, command: JsonObject) -> Settings:
    """Return the settings of a command on a worker, which makes no call that it forbids.

    Secrets and folders are the worker's. Of a policy for calls that its environment sets the stricter one
    holds.

    Args:
        own: The worker's.
        command: Those that are given on the command's machine.
    """
    secrets = own.model_dump(include=_OWN_SETTINGS, exclude_unset=True)
    settings = Settings.model_validate({**secrets, **command})
    names = (f"outbound_{name}" for name in Calls.model_fields)
    given = {name for name in names if name in own.model_fields_set}
    stricter_ones = {name: stricter(getattr(own, name), getattr(settings, name)) for name in given}
    changed = {name: each for name, each in stricter_ones.items() if each != getattr(settings, name)}
    return settings.model_copy(update=changed)


class _Task:
    """A case for a worker; without a repr, as Dask logs that of tasks."""

    def __init__(self, case: Case, plugin: str) -> None:
        # It has its own row only, as there may be a hundred thousand; and texts of files, as pickle would
        # lose the workflow as it was written.
        self._case = replace(case, loaded=replace(case.loaded, rows=[], document=None, script=None))
        self._plugin = plugin

    def __call__(self) -> list[RepetitionResult] | None:
        """Run the case on this worker; return its repetitions, or ``None`` where the suite run was ended.

        Raises:
            DebuggerError: It failed. Of an unexpected error it has the type alone.
        """
        try:
            found: Any = get_worker().plugins[self._plugin]
            repetitions: list[RepetitionResult] | None = found.run(_reread(self._case))
        except DebuggerError as error:
            raise DebuggerError(str(error)) from None
        except Exception as error:
            # Its message may have words of the conversation, and the worker logs it.
            raise DebuggerError(f"A Dask worker failed ({type(error).__name__}).") from None
        return repetitions


def _reread(case: Case) -> Case:
    loaded = case.loaded
    document = load_workflow(loaded.document_text) if loaded.document_text else None
    script = None if loaded.script_text is None else Script.load(loaded.script_text)
    return replace(case, loaded=replace(loaded, document=document, script=script))


def _described(connection: str, settings: Settings) -> JsonObject:
    return find_connection(connection, settings).model_dump(exclude={"api_key"})


def _result(case: Case, future: Future[Any]) -> ScenarioResult | None:
    """Return the result of a case's task; ``None`` where the suite run was ended.

    A case during which every worker ended is a result with an error.

    Raises:
        DebuggerError: The connection was lost, or a worker failed.
        InputError: The cluster cannot run scenarios.
    """
    try:
        repetitions = future.result()
    except KilledWorker:
        message = "Every Dask worker that ran it ended. See the logs of the workers."
        return case.result([RepetitionResult("error", error=message)])
    except CancelledError as error:
        raise _lost("The connection to the Dask scheduler was lost.") from error
    except DebuggerError as error:
        raise _lost(str(error)) from error
    except Exception as error:
        raise _unusable(error) from error
    return None if repetitions is None else case.result(repetitions)


def _lost(message: str) -> DebuggerError:
    return DebuggerError(message, advice="Results so far are stored: continue with --resume.")


def _unusable(error: Exception) -> InputError:
    return InputError(
        f"The Dask cluster cannot run scenarios ({type(error).__name__}).",
        advice="Install this version of workflow-debugger with the extra [dask] on scheduler and workers.",
    )
