"""Duration of a call of inline Python.

Measured are the first call, later ones, calls with imports, and calls on two threads.
python tests/benchmarks/inline_python.py
"""

from __future__ import annotations

import resource
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from debugger.engine.tools.base import ToolContext
from debugger.engine.tools.inline_python import InlinePythonConfig, InlinePythonTool
from debugger.expressions import Scope

CALLS = 20
CALLS_ON_THREADS = 60
CODES = {
    "a call": "def price(cups):\n    return 3 * int(cups)\n",
    "a call that imports json, re, datetime": (
        "import json, re, datetime\ndef price(cups):\n    return 3 * int(cups)\n"
    ),
}


def main() -> None:
    """Measure and print a line for each figure."""
    for name, code in CODES.items():
        tool = InlinePythonTool(InlinePythonConfig(type="inline_python", name="price", code=code))
        first = _timed(tool)
        before = _processor_time()
        times = sorted(_timed(tool) for _ in range(CALLS))
        processor = (_processor_time() - before) * 1000 / CALLS
        print(
            f"{name}: first {first:.0f} ms, later ones median {statistics.median(times):.1f} ms "
            f"({times[0]:.1f} to {times[-1]:.1f}), {processor:.1f} ms of processor time"
        )
    tool = InlinePythonTool(InlinePythonConfig(type="inline_python", name="price", code=CODES["a call"]))
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: _timed(tool), range(CALLS_ON_THREADS)))
    print(f"{CALLS_ON_THREADS / (time.perf_counter() - began):.0f} calls a second on two threads")


def _timed(tool: InlinePythonTool) -> float:
    began = time.perf_counter()
    result = tool.call({"cups": 2}, ToolContext(scope=Scope(), timeout=10))
    assert result.result == 6, result.error
    return (time.perf_counter() - began) * 1000


def _processor_time() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
