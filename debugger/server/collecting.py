"""The collector of garbage, in a process that serves for long."""

from __future__ import annotations

import gc


def spare_the_collector() -> None:
    """Let what is there by now never be looked at again for garbage: it stays until the process ends.

    It is some hundred thousand objects, mostly of libraries. To walk through them takes a tenth of a second,
    in which no turn goes on, and comes about once in a thousand turns.
    """
    gc.collect()
    gc.freeze()
