from __future__ import annotations

import io
from contextlib import closing
from dataclasses import replace

import httpx
import pytest

from debugger.backends import open_embedded
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.errors import StoreError
from debugger.exports import sources
from debugger.exports.formats import write_export
from debugger.exports.sources import RunFilter, RunReader, find_run_ids, read_run_ids
from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.protocol.runs import RunSearch, TurnInput
from debugger.settings import HostedSettings, Settings
from tests.support.exports import csv_rows, options, written
from tests.support.factories import document, say


@pytest.fixture
def backend():
    backend = EmbeddedBackend(Settings(database="sqlite://", responder="rules"))
    with closing(backend):
        backend.create_workflow(document(say("desk"), name="Tea shop"))
        yield backend


def play(backend, words="Hello"):
    [shop] = backend.workflows()
    return backend.execute(shop.id, TurnInput.with_message(words)).finish().run_id


def reader(backend):
    return RunReader(backend, backend.store)


def test_runs_of_a_filter_are_found_page_by_page(backend, monkeypatch):
    monkeypatch.setattr(sources, "_PAGE_SIZE", 3)
    ids = [play(backend, f"tea {number % 2}") for number in range(8)]

    every = find_run_ids(backend, RunFilter())
    some = find_run_ids(backend, RunFilter(search=RunSearch(text="tea 1")))

    assert sorted(every) == sorted(ids)
    assert sorted(some) == sorted(ids[1::2])


def test_page_is_read_when_it_is_needed(backend, monkeypatch):
    monkeypatch.setattr(sources, "_PAGE_SIZE", 2)
    ids, whole, pages = [play(backend) for _ in range(5)], backend.runs, []
    monkeypatch.setattr(backend, "runs", lambda **wanted: pages.append(wanted["page"]) or whole(**wanted))

    found = read_run_ids(backend, RunFilter())
    first = [next(found), next(found)]
    read = list(pages)
    rest = list(found)

    assert (read, pages) == ([1], [1, 2, 3])
    assert sorted([*first, *rest]) == sorted(ids)


def test_run_that_begins_meanwhile_is_left_out(backend, monkeypatch):
    monkeypatch.setattr(sources, "_PAGE_SIZE", 2)
    ids = [play(backend) for _ in range(4)]
    whole = backend.runs

    def runs(**wanted):
        found = whole(**wanted)
        play(backend)
        return found

    monkeypatch.setattr(backend, "runs", runs)

    assert sorted(find_run_ids(backend, RunFilter())) == sorted(ids)


def test_run_has_everything_that_was_noted(backend):
    run_id = play(backend)
    backend.store.notes.change_tags([run_id], ["Monday"])
    backend.store.reviews.set_verdict(
        Verdict(run_id=run_id, target=Target(), value="fail", reviewer="Ada", comment="no")
    )

    run = reader(backend).run(run_id)

    assert (run.workflow_name, run.engine) == ("Tea shop", "Embedded engine")
    assert run.notes.tags == ["Monday"]
    assert run.review.verdict(Target()).comment == "no"


def test_deleted_run_is_passed_over(backend):
    gone, here = play(backend), play(backend)
    backend.store.delete_run(gone)
    read = reader(backend)

    rows = csv_rows(written(read.read([gone, here])))

    assert {row["run_id"] for row in rows} == {here}
    assert read.missing == [gone]


def test_run_of_a_deleted_workflow_is_exported(backend):
    run_id = play(backend)
    backend.delete_workflow(backend.workflows()[0].id)

    run = reader(backend).run(run_id)

    assert (run.workflow, run.workflow_name) == (None, "Tea shop")
    assert csv_rows(written([run]))[0]["text"] == "Hello"
    assert b"Hello" in written([run], options("html"))


def test_one_run_at_a_time_is_read(backend):
    ids = [play(backend) for _ in range(3)]
    read = []
    whole = backend.record
    backend.record = lambda run_id: read.append(run_id) or whole(run_id)

    runs = reader(backend).read(ids)
    assert read == []
    next(runs)
    assert read == ids[:1]


def test_samples_are_exported_in_every_format():
    with closing(open_embedded(Settings(database="sqlite://"))) as backend:
        tea = next(each for each in backend.workflows("Lab results"))
        run_id = backend.execute(tea.id, TurnInput.with_message(None)).finish().run_id
        for file_format in ("csv", "xlsx", "jsonl", "html", "run"):
            progress = write_export(io.BytesIO(), reader(backend).read([run_id]), options(file_format))
            assert progress.runs == 1


def test_pages_shorter_than_requested_are_all_read(backend, monkeypatch):
    ids = [play(backend) for _ in range(5)]
    whole = backend.runs
    monkeypatch.setattr(backend, "runs", lambda **wanted: whole(**wanted | {"size": min(wanted["size"], 2)}))

    found = find_run_ids(backend, RunFilter())

    assert sorted(found) == sorted(ids)


def test_search_that_does_not_finish_is_no_result(backend, monkeypatch):
    monkeypatch.setattr(sources, "_MAX_SEARCHES", 2)
    play(backend)
    whole = backend.runs
    monkeypatch.setattr(backend, "runs", lambda **wanted: replace(whole(**wanted), unread=3))

    with pytest.raises(StoreError, match="3 runs are not indexed yet"):
        find_run_ids(backend, RunFilter(search=RunSearch(text="hello")))


def test_run_of_a_version_that_is_not_shown_is_exported():
    event = {"type": "assistant_response", "content": "Hello"}
    record = {
        "workflow_run_id": "0" * 24,
        "workflow_id": "1" * 24,
        "version_number": 3,
        "status": "completed",
        "input_output_pairs": [{"run_input": {}, "run_output": {"events": [event]}}],
    }
    versions = [{"version_number": number, "version_name": str(number)} for number in (3, 5)]
    summary = {"_id": "1" * 24, "active_version_number": 5, "workflow_config": {"name": "Tea"}}

    def answer(request):
        is_run = "workflow-runs" in request.url.path
        rest = {"versions": versions} if "versions" in request.url.path else {"workflow": summary}
        return httpx.Response(200, json=record if is_run else rest)

    settings = HostedSettings(base_url="https://api.example/workflows", api_key="key")
    with closing(HostedBackend(settings, transport=httpx.MockTransport(answer))) as hosted:
        runs = RunReader(hosted, None).read(["0" * 24])
        [row] = csv_rows(written(runs, options(columns=["version_number", "text"])))

    assert (row["version_number"], row["text"]) == ("3", "Hello")
