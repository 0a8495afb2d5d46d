from __future__ import annotations

from contextlib import closing

import pytest

from debugger.errors import NotFoundError
from debugger.protocol.notes import Target
from debugger.store import Store

RUN = "665f00000000000000000001"


def test_comment_is_deleted_from_own_target_only(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        kept = store.feedback.comment(RUN, Target.turn(1), "ada", "  Twice  ")
        again = store.feedback.comment(RUN, Target.turn(1), "ada", "Twice")

        assert (kept.content, kept.author, kept.target) == ("Twice", "ada", Target.turn(1))
        assert kept.logical_id != again.logical_id
        with pytest.raises(NotFoundError):
            store.feedback.delete_comment(RUN, Target(), kept.logical_id)
        store.feedback.delete_comment(RUN, Target.turn(1), kept.logical_id)
        assert store.feedback.of(RUN) == ([again], [])
        assert store.notebook.notes(RUN).comments == [again]
