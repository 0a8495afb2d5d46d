"""Background work of runs whose events do not tell whether there is any."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from debugger.analysis.thread_positions import Standing, may_go_on
from debugger.errors import DebuggerError
from debugger.protocol.runs import Run
from debugger.protocol.workflow import Workflow

_MAX_GRAPHS = 16


class BackgroundProbe:
    """The graphs that runs continue in; a request is needed once a run.

    Args:
        workflow: Returns the graph of a version, of the active one for ``None``.
        run: Returns a run's record.
    """

    def __init__(self, workflow: Callable[[str, int | None], Workflow], run: Callable[[str], Run]) -> None:
        self._workflow = workflow
        self._run = run
        self._graphs: OrderedDict[str, Workflow] = OrderedDict()

    def may_continue(
        self, run_id: str, standing: Standing, status: str, started_in: tuple[str, int | None] | None = None
    ) -> bool:
        """Return whether background work may follow; it may where the graph cannot be read.

        Args:
            run_id: The run.
            standing: The positions of its threads.
            status: Its status.
            started_in: The workflow and version of a run that has just started.
        """
        try:
            return may_go_on(standing, self._graph(run_id, started_in), status)
        except DebuggerError:
            return True

    def _graph(self, run_id: str, started_in: tuple[str, int | None] | None) -> Workflow:
        if run_id not in self._graphs:
            if started_in is None:
                run = self._run(run_id)
                started_in = run.workflow_id, run.version_number
            self._graphs[run_id] = self._workflow(*started_in)
            if len(self._graphs) > _MAX_GRAPHS:
                self._graphs.popitem(last=False)
        return self._graphs[run_id]
