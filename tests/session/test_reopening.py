from __future__ import annotations

import gc

import pytest

from debugger.analysis.run_projection import RunIndex
from debugger.errors import StoreError
from debugger.graph.graph import Graph
from debugger.session.reopening import ReadRun
from tests.factories import say, workflow


def test_the_garbage_collector_works_again_after_a_record_that_cannot_be_read():
    seen = []

    def broken():
        seen.append(gc.isenabled())
        raise StoreError("The row is damaged.")

    with pytest.raises(StoreError):
        ReadRun(RunIndex(Graph(workflow(say("desk"))))).go_on([broken])

    assert seen == [False]
    assert gc.isenabled()
