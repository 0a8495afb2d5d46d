"""How long a call of an isolated Python tool takes: the first one, later ones, and several at once.

python tests/benchmarks/inline_python.py
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from debugger.engine.tools.base import ToolContext
from debugger.engine.tools.inline_python import InlinePythonConfig, InlinePythonTool
from debugger.expressions import Scope

CODE = "def price(cups):\n    return 3 * int(cups)\n"
CALLS = 60


def main() -> None:
    """Measure and print a row for the README."""
    tool = InlinePythonTool(InlinePythonConfig(type="inline_python", name="price", code=CODE))
    context = ToolContext(scope=Scope(), timeout=10)
    times = [_timed(tool, context) for _ in range(CALLS)]
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: _timed(tool, context), range(CALLS)))
    rate = CALLS / (time.perf_counter() - began)
    warm = sorted(times[1:])
    print(
        f"first call {times[0]:.0f} ms; warm median {statistics.median(warm):.0f} ms, "
        f"p90 {warm[int(len(warm) * 0.9)]:.0f} ms; {rate:.0f} calls/s on two threads"
    )


def _timed(tool: InlinePythonTool, context: ToolContext) -> float:
    began = time.perf_counter()
    result = tool.call({"cups": 2}, context)
    assert result.result == 6, result.error
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
