"""Late messages of a Streamlit app, as on a busy machine; Python imports it at start from `PYTHONPATH`."""

from __future__ import annotations

import sys

if "streamlit" in sys.orig_argv:
    import asyncio
    import itertools
    import time

    from streamlit.runtime.app_session import AppSession

    DELAYS = itertools.cycle([0, 0.05, 0.1, 0.2, 0.4])
    due: dict[int, float] = {}
    flush = AppSession.flush_browser_queue

    def flush_late(session):
        if session._browser_queue.is_empty():
            return []
        now = time.monotonic()
        if now < due.setdefault(id(session), now + next(DELAYS)):
            asyncio.get_running_loop().call_later(0.02, session._message_enqueued_callback)
            return []
        del due[id(session)]
        return flush(session)

    AppSession.flush_browser_queue = flush_late
