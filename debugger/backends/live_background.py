"""Whether a run may go on without its user, where its events do not tell."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from debugger.analysis.background import may_go_on
from debugger.analysis.standing import Standing
from debugger.errors import DebuggerError
from debugger.protocol.runs import Run
from debugger.protocol.workflow import Workflow

_KEPT = 16


class Outlook:
    """Looks at the graphs that runs go on in; a request is needed once a run.

    Args:
        workflow: Gives the graph of a version, of the active one for ``None``.
        run: Gives a run's record.
    """

    def __init__(self, workflow: Callable[[str, int | None], Workflow], run: Callable[[str], Run]) -> None:
        self._workflow = workflow
        self._run = run
        self._graphs: OrderedDict[str, Workflow] = OrderedDict()

    def may_go_on(
        self, run_id: str, standing: Standing, status: str, *, begun_in: tuple[str, int | None] | None
    ) -> bool:
        """Whether background work may be ahead; where that cannot be found out, it may be.

        Args:
            run_id: The run.
            standing: Where its threads stand.
            status: Its status.
            begun_in: The workflow and version of a run that has just begun.
        """
        try:
            return may_go_on(standing, self._graph(run_id, begun_in), status)
        except DebuggerError:
            return True

    def _graph(self, run_id: str, begun_in: tuple[str, int | None] | None) -> Workflow:
        if run_id not in self._graphs:
            if begun_in is None:
                run = self._run(run_id)
                begun_in = run.workflow_id, run.version_number
            self._graphs[run_id] = self._workflow(*begun_in)
            if len(self._graphs) > _KEPT:
                self._graphs.popitem(last=False)
        return self._graphs[run_id]
