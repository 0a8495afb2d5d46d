from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from debugger.errors import InputError
from debugger.protocol.json_codec import encode
from debugger.protocol.notes import Target
from debugger.protocol.runs import RunSearch
from debugger.store import Store, new_id
from debugger.store import runs as stored_runs
from debugger.store.database import Database
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.runs import refresh_index
from debugger.store.schema import spoken
from tests.support.turns import WholeTurn, append_turn

TEA = "665f00000000000000000001"
TEN = datetime(2026, 7, 1, 10, tzinfo=UTC)


def keep(store, *events, run_id=None, number=1, hour=10, **fields):
    run_id = run_id or new_id()
    began = TEN.replace(hour=hour).timestamp()
    values = {"workflow_id": TEA, "version_number": 0, "workflow_name": "Tea shop", **fields}
    append_turn(
        store,
        WholeTurn(
            run_id=run_id,
            turn_number=number,
            status="waiting_for_user_input",
            checkpoint=b"{}",
            started_at=began,
            finished_at=began,
            events_json=encode(list(events)),
            **values,
        ),
    )
    return run_id


def says(text):
    return {"type": "assistant_response", "content": text}


def heard(text):
    return {"type": "user_messages", "messages": [{"type": "human", "content": text}]}


def found(store, **wanted):
    return [run.workflow_run_id for run in store.runs(search=RunSearch(**wanted)).rows]


def test_search_finds_messages(store):
    green = keep(store, says("Which tea?"), heard("Grünen Tee, bitte"))
    black = keep(store, says("Which tea?"), heard("Black, 100% strong"), hour=11)

    assert found(store, text="GRÜNEN") == [green]
    assert found(store, text="which tea") == [black, green]
    assert found(store, text="strong black") == [black]
    assert found(store, text="100%") == [black]
    assert found(store, text="assistant_response") == []


def test_search_finds_new_messages(store):
    run_id = keep(store, says("Which tea?"))
    before = found(store, text="green")
    keep(store, heard("Green"), run_id=run_id, number=2)

    assert before == []
    assert found(store, text="green which") == [run_id]


def test_search_finds_input_of_failed_turn(store):
    sent = {"thread_to_node_inputs": {"0": {"node_run_inputs": [{"messages": [{"content": "Hello there"}]}]}}}
    pair = {"run_input": sent, "run_output": {"events": []}}
    run_id = keep(store, pair_json=encode(pair))

    assert found(store, text="hello") == [run_id]


def test_runs_are_found_by_names_and_notes(store):
    run_id, other = keep(store, run_by="Ada"), keep(store, workflow_name="Bakery")
    store.notes.write(run_id, "asks twice", expected=NEVER_WRITTEN)
    store.notes.change_tags([run_id], ["smoke"])
    store.notes.comment(other, Target(), "Ben", "Burnt bread")

    assert found(store, text="ada") == [run_id]
    assert found(store, text="tea TWICE smoke") == [run_id]
    assert found(store, text="bakery burnt") == [other]
    assert found(store, text=other) == [other]


def test_search_filters_by_facts(store):
    early, late = keep(store, hour=8), keep(store, hour=12, version_number=3)
    fork = keep(store, hour=13, source_workflow_run_id=early, checkpoint_source_turn_index=2)
    store.notes.star(late)
    store.notes.change_tags([early], ["smoke"])

    assert found(store, version_number=3) == [late]
    assert found(store, since=TEN) == [fork, late]
    assert found(store, until=TEN) == [early]
    assert found(store, since=TEN, until=TEN.replace(hour=13)) == [late]
    assert found(store, starred=True) == [late]
    assert found(store, tag="smoke") == [early]
    assert found(store, source_workflow_run_id=early) == [fork]
    assert found(store, tag="smoke", starred=True) == []


def test_search_pages_have_each_run_once(store):
    ids = [keep(store, says("tea"), hour=hour) for hour in range(8, 15)]
    keep(store, says("coffee"))

    pages = [
        store.runs(search=RunSearch(text="tea", since=TEN.replace(hour=8)), size=3, page=n) for n in (1, 2, 3)
    ]

    assert {page.total for page in pages} == {8}  # the workflow of the eighth is a tea shop
    assert len({run.workflow_run_id for page in pages for run in page.rows}) == 8
    assert set(ids) <= {run.workflow_run_id for page in pages for run in page.rows}


def test_search_without_time_counts_unread_runs(url, monkeypatch):
    monkeypatch.setattr("debugger.store.runs._RUNS_AT_ONCE", 2)
    with closing(Store(url)) as store:
        for hour in range(8, 13):
            keep(store, says("tea"), hour=hour)
        database = Database(url)

        left = [refresh_index(database, [], seconds=0) for _ in range(4)]

        database.close()
    assert left == [3, 1, 0, 0]


def test_deleted_run_leaves_no_index(store, monkeypatch):
    run_id, other = keep(store, says("a quokka")), keep(store, says("another quokka"), hour=11)
    read_text = stored_runs._indexed_text

    def delete_meanwhile(database, run):
        text = read_text(database, run)
        if run.id == run_id:
            store.delete_run(run_id)
        return text

    monkeypatch.setattr(stored_runs, "_indexed_text", delete_meanwhile)

    shown = found(store, text="quokka")

    with store._database.reading() as connection:
        assert connection.scalars(select(spoken.c.run_id)).all() == [other]
    assert shown == [other]


def test_search_takes_text_of_any_length(store):
    run_id = keep(store, says("tea"))
    long = "Ä%_" * 25_000
    workflow = store.create_workflow({"name": long})
    store.notes.write(run_id, long, expected=NEVER_WRITTEN)

    assert found(store, text=long.lower()) == [run_id]
    assert found(store, text=f"{long}x") == []
    assert [row.id for row in store.workflows(long.lower())[0]] == [workflow.id]
    assert store.workflows(f"{long}x") == ([], 0)


def test_search_refuses_too_many_words(store):
    words = [f"tea{number}" for number in range(1_200)]
    run_id = keep(store, says(" ".join(words)))

    assert found(store, text=" ".join(words[:100] * 20)) == [run_id]
    with pytest.raises(InputError, match="1200 different words"):
        found(store, text=" ".join(words))
