"""Make a run of many steps with Burr's tracker for its UI.

Run with the Python of a virtual environment that has ``apache-burr[start]``, with ``HOME`` set to an empty
folder: ``python tests/benchmarks/burr_run.py 2000``.
"""

from __future__ import annotations

import sys
from typing import Any


def main() -> None:
    """Run so many steps."""
    from burr.core import ApplicationBuilder, State, action, expr
    from burr.tracking import LocalTrackingClient

    @action(reads=["count"], writes=["count", "order"])
    def reader(state: State) -> State:
        count = state["count"] + 1
        return state.update(count=count, order=f"I would like {count} of green tea, please, for table 5.")

    @action(reads=["count", "order"], writes=["answer"])
    def tea(state: State) -> State:
        return state.update(answer=f"Tea it is: {state['order']}")

    steps = int(sys.argv[1])
    application: Any = (
        ApplicationBuilder()
        .with_actions(reader=reader, tea=tea)
        .with_transitions(("reader", "tea", expr("count >= 0")), ("tea", "reader"))
        .with_state(count=0, order="", answer="")
        .with_entrypoint("reader")
        .with_identifiers(app_id="tea-room")
        .with_tracker(LocalTrackingClient(project="bench"))
        .build()
    )
    for _ in range(steps):
        application.step()


if __name__ == "__main__":
    main()
