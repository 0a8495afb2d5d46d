"""Messages that wait to be sent when fragments are run again.

Streamlit removes what those fragments have drawn from the messages, as it is about to be drawn anew, but
keeps what is in fragments within them: a browser gets the content of a dialog without the dialog, and shows
an empty page.
"""

from __future__ import annotations

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_clear = ForwardMsgQueue.clear


def keep_queued_messages() -> None:
    """Send what a run of fragments finds in the queue, as if it had been sent before."""
    ForwardMsgQueue.clear = _clear_for_page  # type: ignore[method-assign, assignment]


def _clear_for_page(
    queue: ForwardMsgQueue,
    retain_lifecycle_msgs: bool = False,
    fragment_ids_this_run: list[str] | None = None,
) -> None:
    """Clear the queue as Streamlit does, but not before a run of fragments.

    Then its messages stay, and what is drawn follows them in place of being merged into them.
    """
    if fragment_ids_this_run is None:
        _clear(queue, retain_lifecycle_msgs)
    else:
        queue._delta_index_map = {}  # what is drawn from now on follows what is in the queue
