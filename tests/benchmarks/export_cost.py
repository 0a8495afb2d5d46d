"""Measure exports of event rows: time against `csv.writer`, and peak memory by rows.

Run from the top of the repository: ``python -m tests.benchmarks.export_cost FOLDER``. The folder gets the two
runs, of 10,000 and 100,000 events, which takes some minutes the first time.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from debugger.backends.embedded import EmbeddedBackend
from debugger.exports.csv_files import CsvOptions, write_csv
from debugger.exports.formats import ExportOptions, write_export
from debugger.exports.presets import preset_columns
from debugger.exports.sources import RunReader
from debugger.exports.table import Table, TableOptions, cell_of
from debugger.settings import Settings
from tests.benchmarks.long_runs import record

SIZES = (10_000, 100_000)
REPETITIONS = 5


def options(preset: str) -> ExportOptions:
    """The options of a CSV of events."""
    return ExportOptions("csv", preset, TableOptions("event", tuple(preset_columns(preset, "event"))))


def opened(folder: Path, size: int) -> tuple[EmbeddedBackend, str]:
    """The store with a run of so many events, made where it is missing."""
    file = folder / f"events-{size}.sqlite3"
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{file.resolve()}", responder="rules"))
    found = backend.runs().rows
    return backend, found[0].workflow_run_id if found else record(backend, size)


def export(backend: EmbeddedBackend, run_id: str, preset: str, target: Path) -> int:
    """Export the events of a run from the store, masked and guarded; return the number of rows."""
    reader = RunReader(backend, backend.store)
    with target.open("wb") as file:
        return write_export(file, reader.read([run_id]), options(preset)).rows


def seconds(do: Callable[[], object]) -> float:
    """The median processor time of some repetitions; other programs run beside it."""
    times = []
    for _ in range(REPETITIONS):
        begin = time.process_time()
        do()
        times.append(time.process_time() - begin)
    return median(times)


def compare(folder: Path, preset: str) -> None:
    """Print both ratios of 100,000 rows."""
    backend, run_id = opened(folder, SIZES[1])
    reader = RunReader(backend, backend.store)
    table = Table(options(preset).table)
    flat = [[cell_of(value) for value in row] for row in table.rows(reader.run(run_id))]
    target = Path(tempfile.mkstemp(dir=folder)[1])

    def plain() -> None:
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table.header)
            writer.writerows(flat)

    def ours(*, is_guarded: bool) -> None:
        with target.open("wb") as file:
            write_csv(file, table.header, flat, CsvOptions(is_guarded=is_guarded))

    base = seconds(plain)
    size = target.stat().st_size
    whole = seconds(lambda: export(backend, run_id, preset, target))
    figures = {
        "preset": preset,
        "rows": len(flat),
        "file_mb": round(size / 1e6, 1),
        "csv_writer_s": round(base, 3),
        "flattened_unguarded_ratio": round(seconds(lambda: ours(is_guarded=False)) / base, 2),
        "flattened_guarded_ratio": round(seconds(lambda: ours(is_guarded=True)) / base, 2),
        "from_store_s": round(whole, 3),
        "from_store_ratio": round(whole / base, 2),
    }
    target.unlink()
    backend.close()
    print(json.dumps(figures))


def peak(folder: Path, size: int, preset: str) -> int:
    """Export once in this process; return its peak memory in kilobytes."""
    backend, run_id = opened(folder, size)
    export(backend, run_id, preset, folder / "peak.csv")
    # Not ru_maxrss: a process begins with that of its parent.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Print the figures, each peak from a process of its own."""
    folder = Path(sys.argv[1])
    if len(sys.argv) == 4:
        print(peak(folder, int(sys.argv[2]), sys.argv[3]))
        return
    folder.mkdir(exist_ok=True)
    for size in SIZES:
        opened(folder, size)[0].close()
    for preset in ("full-events", "minimal"):
        compare(folder, preset)
        command = [sys.executable, "-m", "tests.benchmarks.export_cost", str(folder)]
        peaks = [int(subprocess.check_output([*command, str(size), preset], text=True)) for size in SIZES]
        print(json.dumps({"preset": preset, "peak_kb": peaks, "peak_ratio": round(peaks[1] / peaks[0], 2)}))


if __name__ == "__main__":
    main()
