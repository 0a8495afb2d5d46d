from __future__ import annotations

import time
from collections import Counter

import pytest
from sqlalchemy import update

from debugger.errors import ConflictError, InputError, NotFoundError, StoreError
from debugger.store import ReplayTarget, StoredReplayResult
from debugger.store.schema import replays
from tests.store.test_retention import TEA, keep

FIRST, SECOND = "1" * 24, "2" * 24
ON_SEVEN = ReplayTarget(TEA, 7, "d" * 64)


def begin(store, replay_id=FIRST, target=ON_SEVEN, selected=2):
    store.replays.begin(replay_id, target, started_by="Ada", program_version="1.0", selected=selected)


def add(store, run_id, verdict="path", key="k1", replay_id=FIRST, **other):
    value = {"run_id": run_id, "reason": "quokka" * 200}
    return store.replays.add(replay_id, StoredReplayResult(run_id, verdict, key, value), **other)


def fill(store, *verdicts, replay_id=FIRST):
    """Results of as many runs, each in the group of its verdict's first letter; their ids."""
    ids = [keep(store, 1) for _ in verdicts]
    for run_id, verdict in zip(ids, verdicts, strict=True):
        add(store, run_id, verdict, "" if verdict == "same" else verdict[0], replay_id)
    return ids


def change(store, replay_id, **values):
    with store._database.writing() as connection:
        connection.execute(update(replays).where(replays.c.id == replay_id).values(**values))


def test_replay_has_counts_and_results(store):
    begin(store)
    ids = fill(store, "same", "path", "path")
    store.replays.end(FIRST, is_complete=True)

    [replay] = store.replays.newest()

    assert (replay.id, replay.target, replay.started_by) == (FIRST, ON_SEVEN, "Ada")
    assert (replay.is_complete, replay.is_running, replay.selected) == (True, False, 2)
    assert replay.ended_at >= replay.started_at
    assert replay.counts == Counter(same=1, path=2)
    assert {each.run_id for each in store.replays.results(FIRST)} == set(ids)
    assert store.replays.results(FIRST, key="p")[0].result["reason"] == "quokka" * 200
    assert store.replays.find(FIRST) == replay
    assert store.replays.find(SECOND) is None


def test_newest_are_those_of_workflow_and_connection(store):
    begin(store)
    begin(store, SECOND, ON_SEVEN._replace(workflow_id="w", connection="staging"))

    assert [each.id for each in store.replays.newest(TEA)] == [FIRST]
    assert [each.id for each in store.replays.newest(connection="staging")] == [SECOND]
    assert {each.id for each in store.replays.newest()} == {FIRST, SECOND}
    assert len(store.replays.newest(limit=1)) == 1


def test_newest_may_come_without_counts(store):
    begin(store)
    fill(store, "path")

    [listed] = store.replays.newest(counted=False)

    assert listed == store.replays.find(FIRST)._replace(counts=Counter())


def test_results_are_paged_and_filtered(store):
    begin(store)
    ids = sorted(fill(store, "path", "words", "same", "path", "path"), reverse=True)

    pages = [store.replays.results(FIRST, page=number, size=2) for number in (1, 2, 3, 4)]

    assert [[each.run_id for each in page] for page in pages] == [ids[:2], ids[2:4], ids[4:], []]
    assert [len(store.replays.results(FIRST, verdict=each)) for each in ("path", "words")] == [3, 1]
    assert [each.verdict for each in store.replays.results(FIRST, key="")] == ["same"]
    with pytest.raises(InputError, match="no page 0"):
        store.replays.results(FIRST, page=0)


def test_all_results_are_read_in_portions(store, monkeypatch):
    monkeypatch.setattr("debugger.store.replays._PAGE", 2)
    begin(store)
    ids = sorted(fill(store, *["path"] * 5), reverse=True)
    add(store, keep(store, 1), "same", "")

    read = store.replays.all_results(FIRST, verdict="path")
    found = [next(read).run_id]
    store.delete_run(ids[1])
    found += [each.run_id for each in read]

    assert found == ids  # the first two were in memory
    assert [each.verdict for each in store.replays.all_results(FIRST, verdict="same")] == ["same"]
    assert len(list(store.replays.all_results(FIRST))) == 5


def test_groups_have_count_and_newest_example(store):
    begin(store)
    begin(store, SECOND)
    *paths, _, word = fill(store, "path", "path", "same", "words")
    fill(store, "path", replay_id=SECOND)

    groups = store.replays.groups(FIRST)

    assert [(each.key, each.verdict, each.runs) for each in groups] == [("p", "path", 2), ("w", "words", 1)]
    assert [each.example["run_id"] for each in groups] == [max(paths), word]
    assert [each.acceptance for each in groups] == [None, None]
    assert len(store.replays.groups(FIRST, limit=1)) == 1


def test_accepted_group_stays_so_in_later_replays(store):
    begin(store)
    fill(store, "path", "words", "same")
    store.replays.accept(TEA, "p", accepted_by="Ada", comment="Billing is asked first now.")
    begin(store, SECOND)
    fill(store, "path", replay_id=SECOND)

    [group] = store.replays.groups(SECOND)

    assert (group.acceptance.accepted_by, group.acceptance.comment) == ("Ada", "Billing is asked first now.")
    assert store.replays.acceptances(TEA) == {"p": group.acceptance}
    assert group.acceptance.accepted_at == pytest.approx(time.time(), abs=60)
    assert store.replays.count_open(FIRST) == Counter(words=1, same=1)
    assert store.replays.count_open(SECOND) == Counter()

    store.replays.accept(TEA, "p", accepted_by="Ben", comment="Agreed.")
    assert store.replays.groups(SECOND)[0].acceptance.accepted_by == "Ben"

    store.replays.withdraw_acceptance(TEA, "p")
    assert store.replays.groups(SECOND)[0].acceptance is None


def test_acceptance_of_another_user_is_replaced_on_purpose_alone(store):
    store.replays.accept(TEA, "p", accepted_by="Bob", comment="Agreed.", replaces=False)

    with pytest.raises(ConflictError, match="Bob has accepted it meanwhile"):
        store.replays.accept(TEA, "p", accepted_by="Ada", comment="", replaces=False)

    assert store.replays.acceptances(TEA)["p"].comment == "Agreed."


def test_acceptance_counts_for_its_workflow_alone(store):
    begin(store)
    fill(store, "path")

    store.replays.accept("another", "p", accepted_by="Ada", comment="")

    assert store.replays.groups(FIRST)[0].acceptance is None
    assert store.replays.count_open(FIRST) == Counter(path=1)
    assert store.replays.find_workflows("p") == [TEA]
    assert store.replays.find_workflows("q") == []


def test_interrupted_replay_is_found_once_it_stopped(store):
    begin(store)
    assert store.replays.find_interrupted(ON_SEVEN) is None

    change(store, FIRST, owner="another/machine/1/2")

    assert store.replays.find_interrupted(ON_SEVEN).id == FIRST
    for other in ({"digest": "e" * 64}, {"workflow_id": "w"}, {"connection": "staging"}):
        assert store.replays.find_interrupted(ON_SEVEN._replace(**other)) is None

    store.replays.end(FIRST, is_complete=True)
    assert store.replays.find_interrupted(ON_SEVEN) is None

    store.replays.end(FIRST, is_complete=False)
    assert store.replays.find_interrupted(ON_SEVEN).id == FIRST


def test_replay_whose_end_cannot_be_stored_does_not_run_for_ever(store, monkeypatch):
    begin(store)
    with monkeypatch.context() as patch:
        patch.setattr(store.replays._database, "writing", unwritable)
        with pytest.raises(StoreError):
            store.replays.end(FIRST, is_complete=True)

    assert store.replays.find(FIRST).is_running is False
    assert store.replays.find_interrupted(ON_SEVEN).id == FIRST


def unwritable():
    raise StoreError("The disk is full.", advice="")


def test_continued_replay_keeps_start_and_results(store):
    begin(store)
    [known] = fill(store, "same")
    change(store, FIRST, started_at=5.0, started_by="Ben")
    store.replays.end(FIRST, is_complete=False)

    begin(store, selected=3)

    [replay] = store.replays.newest()
    assert (replay.started_at, replay.ended_at, replay.started_by) == (5.0, None, "Ben")
    assert (replay.selected, replay.is_running, replay.counts.total()) == (3, True, 1)
    assert store.replays.without_result(FIRST, ["b", known, "a"]) == ["b", "a"]


def test_result_replaces_earlier_one(store):
    begin(store)
    run_id = keep(store, 1)

    assert add(store, run_id, "failed", "f")
    assert add(store, run_id, "same", "")

    assert store.replays.newest()[0].counts == Counter(same=1)
    assert store.replays.groups(FIRST) == []


def test_result_of_deleted_run_is_not_stored(store):
    begin(store)

    assert not add(store, "a" * 24)
    assert add(store, "b" * 24, is_hosted=True)

    assert [each.run_id for each in store.replays.results(FIRST)] == ["b" * 24]


def test_deleted_replay_takes_no_result(store):
    begin(store)
    run_id = keep(store, 1)
    store.replays.delete(FIRST)

    with pytest.raises(NotFoundError, match="was deleted meanwhile"):
        add(store, run_id)

    assert store.replays.results(FIRST) == []


@pytest.mark.parametrize("erase", [True, False])
def test_deleted_run_takes_its_result_along(store, erase):
    begin(store)
    gone, stays = fill(store, "path", "path")

    if erase:
        store.erase_runs([gone])
    else:
        store.delete_run(gone)

    assert [each.run_id for each in store.replays.results(FIRST)] == [stays]
    assert store.replays.groups(FIRST)[0].runs == 1


def test_hidden_run_is_left_out(store):
    begin(store)
    hidden, stays = fill(store, "path", "path")
    store.hidden.hide([hidden], "Ada")

    assert [each.run_id for each in store.replays.results(FIRST)] == [stays]
    assert [each.run_id for each in store.replays.all_results(FIRST)] == [stays]
    assert [(each.runs, each.example["run_id"]) for each in store.replays.groups(FIRST)] == [(1, stays)]
    assert store.replays.newest()[0].counts == store.replays.count_open(FIRST) == Counter(path=1)

    store.hidden.restore([hidden])
    assert store.replays.groups(FIRST)[0].runs == 2


def test_deleted_workflow_takes_replays_and_acceptances_along(store):
    workflow_id = store.create_workflow({"name": "Tea"}).id
    for replay_id, target in ((FIRST, ON_SEVEN), (SECOND, ON_SEVEN._replace(workflow_id=workflow_id))):
        begin(store, replay_id, target)
        fill(store, "path", replay_id=replay_id)
    store.replays.accept(workflow_id, "p", accepted_by="Ada", comment="")
    store.replays.accept(TEA, "p", accepted_by="Ada", comment="")

    store.delete_workflow(workflow_id)

    assert [each.id for each in store.replays.newest()] == [FIRST]
    assert store.replays.results(SECOND) == []
    assert store.replays.groups(FIRST)[0].acceptance is not None
    begin(store, SECOND, ON_SEVEN._replace(workflow_id=workflow_id))
    fill(store, "path", replay_id=SECOND)
    assert store.replays.groups(SECOND)[0].acceptance is None


def test_prune_deletes_old_replays(store):
    for replay_id in (FIRST, SECOND):
        begin(store, replay_id)
        fill(store, "path", replay_id=replay_id)
    change(store, FIRST, started_at=time.time() - 3 * 86_400)

    assert store.replays.prune(2) == 1

    assert [replay.id for replay in store.replays.newest()] == [SECOND]
    assert store.replays.results(FIRST) == []
    assert len(store.replays.results(SECOND)) == 1
