from __future__ import annotations

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from debugger.views.streamlit_patches import queued_messages
from debugger.views.streamlit_patches.queued_messages import keep_queued_messages


@pytest.fixture
def queue(monkeypatch):
    # Another test of this process may have started the app; the method is put back afterwards.
    monkeypatch.setattr(ForwardMsgQueue, "clear", queued_messages._clear)
    return ForwardMsgQueue()


def draw(queue, path, fragment, words=None):
    """Draw a block, or a text."""
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.delta.fragment_id = fragment
    if words is None:
        message.delta.add_block.allow_empty = True
    else:
        message.delta.new_element.text.body = words
    queue.enqueue(message)


def draw_dialog(queue):
    draw(queue, (0, 1), "bar")
    draw(queue, (2, 0), "bar")  # the dialog, opened by the bar
    draw(queue, (2, 0, 0), "dialog")
    draw(queue, (2, 0, 0, 0), "dialog", "The question")


def missing_parents(queue):
    """Return the paths that come before the block that they are in."""
    sent, missing = {(0,), (2,)}, []
    for message in queue.flush():
        path = tuple(message.metadata.delta_path)
        sent.add(path)
        missing += [path] if path[:-1] not in sent else []
    return missing


def test_dialog_is_sent_before_its_content(queue):
    keep_queued_messages()
    draw_dialog(queue)

    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["bar"])
    draw_dialog(queue)

    assert missing_parents(queue) == []


def test_streamlit_alone_sends_content_without_dialog(queue):
    draw_dialog(queue)

    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["bar"])
    draw_dialog(queue)

    assert missing_parents(queue) == [(2, 0, 0)]  # else the patch can go


def test_later_drawing_follows_earlier_one(queue):
    keep_queued_messages()
    draw(queue, (0, 0), "look", "before")

    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["look"])
    draw(queue, (0, 0), "look", "after")

    assert [message.delta.new_element.text.body for message in queue.flush()] == ["before", "after"]


def test_end_of_fragments_is_kept(queue):
    keep_queued_messages()
    end = ForwardMsg(script_finished=ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
    queue.enqueue(end)

    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["bar"])

    assert queue.flush() == [end]


def test_run_of_page_drops_earlier_drawings(queue):
    keep_queued_messages()
    draw_dialog(queue)

    queue.clear(retain_lifecycle_msgs=True)

    assert queue.is_empty()


def test_flush_empties_the_queue(queue):
    keep_queued_messages()
    draw_dialog(queue)

    assert (len(queue.flush()), queue.is_empty()) == (4, True)
