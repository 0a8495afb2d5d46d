from __future__ import annotations

from tests.store.test_retention import keep


def test_summaries_are_read_until_another_turn(store):
    first, second = keep(store, 2), keep(store, 1)
    store.run_facts.save({first: (1, {"words": "hi"}), second: (1, {"words": "ho"})}, 3)

    assert store.run_facts.read([first, second], 3) == {first: {"words": "hi"}, second: {"words": "ho"}}
    assert store.run_facts.read([first], 4) == {}

    keep(store, 0, number=2, run_id=first)

    assert store.run_facts.read([first, second], 3) == {second: {"words": "ho"}}

    store.run_facts.save({first: (2, {"words": "again"})}, 3)

    assert store.run_facts.read([first], 3) == {first: {"words": "again"}}


def test_deleted_run_gets_no_summary(store):
    run_id = keep(store, 1)
    store.delete_run(run_id)

    store.run_facts.save({run_id: (1, {"words": "secret"})}, 1)

    with store._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM run_facts").scalar() == 0
