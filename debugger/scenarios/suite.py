"""Selection and execution of many scenarios."""

from __future__ import annotations

import difflib
import hashlib
import os
import queue
import threading
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from debugger.errors import DebuggerError, InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.scenarios.loading import LoadedScenario, describe_unreadable, find_scenarios, load_scenario
from debugger.scenarios.model import Repeat, Scenario
from debugger.scenarios.preparation import EMBEDDED
from debugger.scenarios.recordings import recording_path
from debugger.scenarios.results import RepetitionResult, ScenarioResult
from debugger.scenarios.runner import ScenarioRunner
from debugger.store import program_version


@dataclass(frozen=True)
class Case:
    """A scenario with one row, as it will be run."""

    loaded: LoadedScenario
    scenario: Scenario
    """Filled with the row; connection and repetitions are those of the run."""
    row_number: int | None
    row: JsonObject
    digest: str
    """SHA-256 of the scenario, its files (workflow, script, recorded answers) and this program's version; see
    `digest_of` for what it ran."""
    mistakes: str = ""
    """Those of its file, by which it cannot be run."""
    version: int | None = None
    """The version of the workflow that was chosen for the run instead of the scenario's."""

    def of_version(self, number: int) -> Case:
        """Return the case with a version of its stored workflow, by which its id and digest differ."""
        changed = {"workflow_version": number}
        scenario = self.loaded.scenario.model_copy(update=changed)
        return replace(
            self,
            loaded=replace(self.loaded, scenario=scenario),
            scenario=self.scenario.model_copy(update=changed),
            digest=hashlib.sha256(f"{self.digest} {number}".encode()).hexdigest(),
            version=number,
        )

    def digest_of(self, repetitions: Iterable[RepetitionResult]) -> str:
        """Return the digest of a result: equal while case, workflow and script are.

        Without a repetition that tells what it ran it is that of the case.
        """
        ran = sorted({each.ran.digest for each in repetitions if each.ran is not None})
        return hashlib.sha256(" ".join([self.digest, *ran]).encode()).hexdigest() if ran else self.digest

    @property
    def id(self) -> str:
        """Return the id of its result."""
        return self.result([]).id

    @property
    def turns(self) -> int:
        """Return the number of turns of the user, repetitions included."""
        own = 0 if self.mistakes else sum(turn.advance is None for turn in self.scenario.turns)
        return own * (self.scenario.repeat.times if self.scenario.repeat else 1)

    def run(self, runner: ScenarioRunner, cancelled: threading.Event) -> ScenarioResult | None:
        """Run it, and return the result; ``None`` where it was cancelled.

        Every error is a result, too: the mistakes of its file, without a run, and a fault of this program,
        whose message is left out.
        """
        scenario = self.scenario
        if self.mistakes:
            return self.result([RepetitionResult("error", error=self.mistakes, is_mistake=True)])
        number = self.row_number
        one = replace(self.loaded, rows=[] if number is None else [self.row], first_row=number or 1)
        try:
            found = list(runner.run(one, cancelled, backend=scenario.connection, repeat=scenario.repeat))
        except DebuggerError as error:
            return self.result([RepetitionResult.of_error(error)])
        except Exception as error:  # the others are to run; without its message, which may quote a secret
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
            message = f"The scenario cannot be run ({place}). Report it: it is a fault of this program."
            return self.result([RepetitionResult("error", error=message)])
        return self.result(found[0].repetitions) if found else None

    def result(self, repetitions: list[RepetitionResult]) -> ScenarioResult:
        """Return the result that repetitions make."""
        file = self.loaded.path.as_posix()
        return ScenarioResult(self.scenario, file, self.row, self.row_number, repetitions, self.version)


def load_cases(
    paths: Iterable[Path],
    *,
    connection: str | None = None,
    repeat: int | None = None,
    live: Collection[str] = (),
) -> list[Case]:
    """Read scenarios; one of several rows is as many cases, and one with mistakes is a case with an error.

    Args:
        paths: Files and folders.
        connection: The connection instead of the scenarios' own.
        repeat: The repetitions, which all must pass, instead of the scenarios' own.
        live: The classes of calls that are live where a scenario does not name them.

    Raises:
        InputError: A path is not there, or there is no scenario.
    """
    found = list[Case]()
    for path in find_scenarios(map(stable_path, paths)):
        found += read_cases(path, connection=connection, repeat=repeat, live=live)
    if not found:
        raise InputError(
            f"No scenario was found in {', '.join(map(str, paths))}.",
            advice="Scenarios are in files named *.scenario.yaml.",
        )
    return found


def read_cases(
    path: Path,
    *,
    connection: str | None = None,
    repeat: int | None = None,
    live: Collection[str] = (),
) -> Iterator[Case]:
    """Yield the cases of one file; of a file with mistakes one that is an error. See `load_cases`."""
    try:
        loaded = load_scenario(path)
    except InputError as error:
        unreadable = describe_unreadable(path)
        digest = hashlib.sha256(unreadable.text.encode("utf-8", "surrogatepass")).hexdigest()
        yield Case(unreadable, unreadable.scenario, None, {}, digest, str(error))
        return
    yield from cases_of(loaded, connection=connection, repeat=repeat, live=live)


def cases_of(
    loaded: LoadedScenario,
    *,
    connection: str | None = None,
    repeat: int | None = None,
    live: Collection[str] = (),
) -> Iterator[Case]:
    """Yield a case for each row of a scenario, with connection, repetitions and live calls replaced.

    Classes become live only on the embedded engine. See `load_cases` for the arguments.
    """
    if live and (connection or loaded.scenario.connection) == EMBEDDED:
        calls = loaded.scenario.calls.with_live(live)
        loaded = replace(loaded, scenario=loaded.scenario.model_copy(update={"calls": calls}))
    own = {"connection": connection, "repeat": Repeat(times=repeat) if repeat else None}
    changed = {name: value for name, value in own.items() if value is not None}
    files = hashlib.sha256(program_version().encode())
    if loaded.document is not None:
        files.update(encode(loaded.document.to_wire()))
    if loaded.scenario.script:
        files.update((loaded.path.parent / loaded.scenario.script).read_bytes())
    for number, row, filled in loaded.cases():
        scenario = filled.model_copy(update=changed)
        digest = files.copy()
        recorded = recording_path(loaded, number)
        if recorded is not None:
            with suppress(OSError):  # without the file its run tells so
                digest.update(recorded.read_bytes())
        digest.update(scenario.model_dump_json(by_alias=True, exclude_unset=True, exclude={"rows"}).encode())
        yield Case(loaded, scenario, number, row, digest.hexdigest())


def stable_path(path: Path) -> Path:
    """Return a path relative to the working folder if it is in it.

    Ids of results are then the same on every machine.
    """
    absolute, here = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100 (`resolve` follows links)
    return absolute.relative_to(here) if absolute.is_relative_to(here) else absolute


def select_cases(
    cases: Sequence[Case], tags: Collection[str] = (), excluded: Collection[str] = ()
) -> list[Case]:
    """Return the cases with any of the tags and none of the excluded ones.

    A file whose tags cannot be read is among them: nobody knows that it is not meant, or has the tag.

    Raises:
        InputError: No scenario has one of the tags, or none is selected.
    """
    known = sorted({tag for case in cases for tag in case.scenario.tags})
    for tag in () if any(map(_has_no_known_tags, cases)) else (*tags, *excluded):
        if tag not in known:
            near = difflib.get_close_matches(tag, known, n=1)
            advice = f"Did you mean {near[0]!r}?" if near else f"The tags are: {', '.join(known) or 'none'}."
            raise InputError(f"No scenario has the tag {tag!r}.", advice=advice)
    chosen = [
        case
        for case in cases
        if (not tags or not set(tags).isdisjoint(case.scenario.tags) or _has_no_known_tags(case))
        and set(excluded).isdisjoint(case.scenario.tags)
    ]
    if not chosen:
        raise InputError("The tags select no scenario.", advice="Exclude fewer tags.")
    return chosen


def _has_no_known_tags(case: Case) -> bool:
    return bool(case.mistakes) and not case.scenario.tags


class Execution(Protocol):
    """An execution of cases, on this machine or on a cluster."""

    def run(self, cases: Sequence[Case], cancelled: threading.Event) -> Iterator[tuple[Case, ScenarioResult]]:
        """Yield results until all are there, or ``cancelled`` is set from outside."""


@dataclass
class SuiteExecution:
    """Runs cases, some at once.

    Results are in the order in which they come.
    """

    make_runner: Callable[[], ScenarioRunner]
    """Makes the runner of a thread, which closes it."""
    record: Callable[[Case, ScenarioResult], None]
    """Stores a result, on the thread that has run it, before that begins another."""
    parallel: int = 1
    bail: bool = False
    """Begin no other case after one that did not pass."""

    def run(self, cases: Sequence[Case], cancelled: threading.Event) -> Iterator[tuple[Case, ScenarioResult]]:
        """Yield results until all are there, or ``cancelled`` is set from outside.

        Cases run on `parallel` threads with a runner each. When the iterator is closed or a thread fails, no
        other case begins and the threads are waited for; not after Ctrl+C.

        Raises:
            Exception: Whatever makes or closes a runner, or stores a result, raises.
        """
        pending = iter(cases)
        lock, stopped = threading.Lock(), threading.Event()
        done: queue.SimpleQueue[tuple[Case, ScenarioResult] | BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            """Run cases until none is left or all shall stop.

            The results, then ``None`` or an error, are put in the queue.
            """
            try:
                with self.make_runner() as runner:
                    while not (cancelled.is_set() or stopped.is_set()):
                        with lock:
                            case = next(pending, None)
                        result = case.run(runner, cancelled) if case else None
                        if case is None or result is None:
                            break
                        self.record(case, result)
                        if self.bail and result.outcome != "passed":
                            stopped.set()
                        done.put((case, result))
                done.put(None)
            except BaseException as error:
                done.put(error)

        threads = [
            threading.Thread(target=work, name=f"scenarios-{number}", daemon=True)
            for number in range(min(self.parallel, len(cases)))
        ]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                found = done.get()
                if isinstance(found, BaseException):
                    raise found
                if found is None:
                    running -= 1
                else:
                    yield found
        except KeyboardInterrupt:
            threads.clear()  # the second Ctrl+C waits for nothing
            raise
        finally:
            stopped.set()
            for thread in threads:
                thread.join()
