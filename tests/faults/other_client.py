"""Another client of the same runs, without the proxy."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from tests.conformance.served import execute
from tests.faults.servers import OTHER_USER, marked

PATIENCE = 10.0
"""Seconds that another client's turn is awaited."""
ACTIONS = ("stop", "delete", "continue", "repeat", "start")
"""To the page's run: stop it, delete it, send another text or the same text to it. And start another run with
the same text."""


class OtherClient:
    """Stops, deletes, continues and starts runs.

    Args:
        http: A client of the server.
        workflow_id: The workflow of the runs.
    """

    def __init__(self, http, workflow_id):
        self.started = set()
        """The runs that it has started."""
        self._http = http
        self._workflow_id = workflow_id

    @contextmanager
    def acting(self, strike, proxy, run_id, text):
        """Act for a strike before the block, or during it.

        During it means once a fault of the strike has struck.
        Gives an event that is set once it is done.
        """
        done = threading.Event()
        if not strike.action:
            yield done
        elif not strike.faults_first:
            self._act(strike.action, run_id, text)
            done.set()
            yield done
        else:
            is_over = threading.Event()
            proxy.struck.clear()

            def act_once_struck():
                proxy.struck.wait()
                if not is_over.is_set():
                    self._act(strike.action, run_id, text)
                    done.set()

            acting = threading.Thread(target=act_once_struck)
            acting.start()
            try:
                yield done
            finally:
                if not proxy.struck.is_set():
                    is_over.set()
                    proxy.struck.set()
                acting.join()

    def _act(self, action, run_id, text):
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._send(action, run_id, text)
            if answer.status_code != 409:
                break
            assert time.monotonic() < deadline, answer.text
            threading.Event().wait(0.01)  # a turn of the run is being executed
        # 404: the run is over, which a page without notice learns with its next turn.
        assert answer.is_success or answer.status_code == 404, answer.text
        if action == "start":
            self.started.add(answer.json()["run_id"])

    def _send(self, action, run_id, text):
        words = {"dynamic_variables": {"word": marked(text, OTHER_USER)}}
        match action:
            case "delete":
                return self._http.delete(f"/v1/workflow-runs/{run_id}")
            case "stop":
                return execute(self._http, self._workflow_id, run_id=run_id, command="stop")
            case "start":
                return execute(self._http, self._workflow_id, text, **words)
            case "repeat":
                return execute(self._http, self._workflow_id, text, run_id, **words)
            case _:
                return execute(self._http, self._workflow_id, f"other: {text}", run_id, **words)
