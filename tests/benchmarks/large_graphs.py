"""Cost of a workflow of 2,000 nodes and 20,000 edges, by step.

Run it with ``python -m tests.benchmarks.large_graphs``: each shape of graph gets a process of its own.
Nothing here is asserted: figures depend on the machine, and those of a quiet one are what counts.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.nodes import NODE_TYPES
from debugger.graph import Graph, check, load_workflow
from debugger.graph.checks import CHECKS, CheckContext, format_problem
from debugger.graph.diagram import Direction
from debugger.graph.layout import layout
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say, static, when

NODES = 2_000
EDGES = 20_000
SLOWEST_RULES = 4
DIRECTIONS: tuple[Direction, ...] = ("down", "right")

Json = dict[str, Any]


def web() -> Json:
    """Nodes that talk, joined at random by conditions."""
    chance = random.Random(7)
    nodes = [say(f"node_{index}", f"Talk about {{{{topic_{index}}}}}.") for index in range(NODES)]
    edges = []
    for index in range(EDGES):
        ends = f"node_{index % NODES}", f"node_{chance.randrange(NODES)}"
        edges.append({**when(*ends, f'[[answer_{index}]] == "yes"'), "logical_id": f"edge_{index}"})
    return document(*nodes, *edges)


def line() -> Json:
    """Return a walk of 99 nodes within the full-size workflow."""
    chance = random.Random(7)
    nodes = [static(f"node_{index}", f"Text {index}") for index in range(NODES)]
    nodes[99] = say("node_99")
    edges = [direct(f"node_{index}", f"node_{index + 1}") for index in range(99)]
    for index in range(EDGES - len(edges)):
        ends = f"node_{99 + index % (NODES - 99)}", f"node_{chance.randrange(99, NODES)}"
        edges.append({**when(*ends, f"[[answer_{index}]] == 1"), "logical_id": f"edge_{index}"})
    return document(*nodes, *edges)


def forks() -> Json:
    """Return a workflow whose every other node starts companion threads.

    It is the worst case of the rules about companions.
    """
    nodes = [node(f"node_{index}", "no_op") for index in range(NODES)]
    edges = []
    for index in range(EDGES):
        source = index % NODES
        ends = f"node_{source}", f"node_{(source + 1 + index // NODES) % NODES}"
        flag = {"companion_thread_config": {"is_companion_thread": True}} if index >= NODES else {}
        edges.append({**direct(*ends, **flag), "logical_id": f"edge_{index}"})
    return document(*nodes, *edges)


def star() -> Json:
    """Return one node that all edges leave to a few nodes."""
    nodes = [say(f"node_{index}") for index in range(NODES)]
    edges = [
        {**when("node_0", f"node_{1 + index % (NODES - 1)}", "[[a]] == 1"), "logical_id": f"edge_{index}"}
        for index in range(EDGES)
    ]
    return document(*nodes, *edges)


def globals_everywhere() -> Json:
    """Return global nodes only, joined by a ring of companion edges."""
    entry = {"is_global": True, "condition": {"condition_freeform": "x"}}
    flags = {"global_node_config": entry, "self_loop": True}
    nodes = [node(f"node_{index}", "worker_llm", **flags) for index in range(NODES)]
    edges = []
    for index in range(EDGES):
        source = index % NODES
        ends = f"node_{source}", f"node_{(source + 1 + index // NODES) % NODES}"
        edges.append({**direct(*ends), "type": "companion", "logical_id": f"edge_{index}"})
    return document(*nodes, *edges)


SHAPES: dict[str, Callable[[], Json]] = {
    "web": web,
    "line": line,
    "forks": forks,
    "star": star,
    "globals": globals_everywhere,
}


def main() -> None:
    """Measure every shape, or those that are named."""
    for shape in sys.argv[1:] or SHAPES:
        subprocess.run([sys.executable, "-m", __spec__.name, "--in-here", shape], check=True)


def measure(shape: str) -> None:
    """Print the duration of each step and the peak memory."""
    text = json.dumps(SHAPES[shape]())
    print(f"\n{shape}: {len(text) / 1e6:.1f} MB")
    with _timed("load"):
        workflow = load_workflow(text)
    with _timed("index"):
        graph = Graph(workflow)
    with _timed("unreachable"):
        _ = graph.unreachable
    known = frozenset(NODE_TYPES)
    with _timed("all rules"):
        problems = check(workflow, known)
    _rules(CheckContext(graph, known))
    with _timed(f"lines of {len(problems)} problems"):
        _ = [format_problem(problem, graph) for problem in problems]
    for direction in DIRECTIONS:
        with _timed(f"layout {direction}"):
            picture = layout(graph, direction)
        print(f"  ({picture.width:.0f} x {picture.height:.0f} px)")
    with tempfile.TemporaryDirectory() as folder:
        _backend(json.loads(text), Path(folder))
        _command(text, Path(folder))
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _rules(subject: CheckContext) -> None:
    took = {}
    for rule in CHECKS:
        began = time.perf_counter()
        list(rule(subject))
        took[rule.__name__] = time.perf_counter() - began
    for name in sorted(took, key=took.__getitem__, reverse=True)[:SLOWEST_RULES]:
        print(f"    {name:<40}{took[name]:9.3f} s")


def _backend(written: Json, folder: Path) -> None:
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{folder}/runs.sqlite3", responder="rules"))
    with _timed("keep"):
        workflow_id = backend.create_workflow(written).id
    with _timed("read back"):
        backend.workflow(workflow_id)
    with _timed("first turn"):
        result = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    size = len(json.dumps(result.events))
    print(f"  ({result.status}, {len(result.events)} events, {size / 1e3:.0f} kB)")
    if not result.is_completed:
        with _timed("second turn"):
            backend.execute(workflow_id, TurnInput.with_message("Hi"), run_id=result.run_id).finish()
    with _timed("first turn of another run"):
        backend.execute(workflow_id, TurnInput.with_message(None)).finish()
    backend.close()


def _command(text: str, folder: Path) -> None:
    file = folder / "workflow.json"
    file.write_text(text, encoding="utf-8")
    with _timed("python -m debugger check"):
        subprocess.run([sys.executable, "-m", "debugger", "check", str(file)], stdout=subprocess.DEVNULL)


@contextmanager
def _timed(what: str) -> Any:
    began = time.perf_counter()
    yield
    print(f"  {what:<42}{time.perf_counter() - began:9.3f} s", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-here"]:
        measure(sys.argv[2])
    else:
        main()
