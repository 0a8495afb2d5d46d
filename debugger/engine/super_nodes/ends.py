"""The nodes at which one workflow, seen by itself, ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import as_bool


@dataclass(frozen=True)
class Paths:
    """Where the thread that comes in at the start goes.

    A worker that a companion edge runs beside a node, and what only a companion thread reaches, is no part
    of it: what follows a super node is not meant for them.
    """

    main: tuple[str, ...] = ()
    """The ids of the nodes on its way, in the document's order."""
    terminal: tuple[str, ...] = ()
    """Those of them that no edge leads on from."""


def paths_of(nodes: Sequence[JsonObject], edges: Iterable[JsonObject], start: str) -> Paths:
    """Find the nodes on the way of the main thread, and those where it ends.

    A node that nothing leads to counts as on its way, since a run can begin there. Where a global node can
    hop back, that is its way on.

    Args:
        nodes: The workflow's nodes.
        edges: Its edges.
        start: The id of its start node.

    Source: ``platform/engine.md`` 2.11, 3.3, 3.4.
    """
    ways = _ways(edges)
    beside = {each for leaving in ways.values() for each in leaving.beside}
    entries = [start, *(_id(node) for node in nodes if _is_global(node))]
    reached = _reached(entries, ways, beside_too=False)
    apart = _reached(beside - reached, ways, beside_too=True) - reached
    main = [node for node in nodes if _id(node) not in apart]
    terminal = [_id(node) for node in main if _ends(node, ways.get(_id(node)))]
    return Paths(tuple(dict.fromkeys(map(_id, main))), tuple(dict.fromkeys(terminal)))


@dataclass(frozen=True)
class _Leaving:
    direct: list[str]
    conditional: list[str]
    beside: list[str]


def _ways(edges: Iterable[JsonObject]) -> dict[str, _Leaving]:
    ways: dict[str, _Leaving] = {}
    forks: dict[str, list[str]] = {}
    for edge in edges:
        source, destination = edge.get("source_node_logical_id"), edge.get("destination_node_logical_id")
        if (
            as_bool(edge.get("disabled"), False)
            or not isinstance(source, str)
            or not isinstance(destination, str)
        ):
            continue
        leaving = ways.setdefault(source, _Leaving([], [], []))
        if edge["type"] == "direct":
            flagged = as_bool((edge.get("companion_thread_config") or {}).get("is_companion_thread"), False)
            (forks.setdefault(source, []) if flagged else leaving.direct).append(destination)
        else:
            (leaving.conditional if edge["type"] == "conditional" else leaving.beside).append(destination)
    for source, destinations in forks.items():
        leaving = ways[source]
        # On an only direct edge the flag counts for nothing.
        is_only = len(destinations) == 1 and not leaving.direct
        (leaving.direct if is_only else leaving.beside).extend(destinations)
    return ways


def _reached(entries: Iterable[str], ways: dict[str, _Leaving], *, beside_too: bool) -> set[str]:
    found = set(entries)
    waiting = list(found)
    while waiting:
        leaving = ways.get(waiting.pop())
        if leaving is None:
            continue
        for each in (*leaving.direct, *leaving.conditional, *(leaving.beside if beside_too else ())):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def _ends(node: JsonObject, leaving: _Leaving | None) -> bool:
    if leaving is not None and (
        leaving.direct or (leaving.conditional and not as_bool(node.get("disabled"), False))
    ):
        return False
    return not (_is_global(node) and node["global_node_config"].get("reverse_conditional_edge"))


def _is_global(node: JsonObject) -> bool:
    return as_bool((node.get("global_node_config") or {}).get("is_global"), False)


def _id(node: JsonObject) -> str:
    return str(node["logical_id"])
