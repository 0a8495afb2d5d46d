"""Workflows, versions, runs and settings of the hosted backend."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from debugger.backends.hosted import HostedBackend
from debugger.backends.hosted.backend import RunRevisions
from debugger.errors import (
    AuthenticationError,
    NotFoundError,
    SettingsError,
    UnsupportedError,
    WorkflowError,
)
from debugger.protocol.runs import Run, RunSearch, TurnInput
from debugger.settings import HostedSettings
from tests.backends.hosted.peer import first_turn
from tests.backends.hosted.records import KEY, RUN, WORKFLOW
from tests.conformance.graphs import chat, graph
from tests.conformance.served import KEY as SERVER_KEY
from tests.conformance.served import create, serving
from tests.support.factories import document, static


def test_every_request_says_who_asks(peer):
    peer.answers(body={"workflows": []})
    backend = HostedBackend(
        HostedSettings(base_url=peer.url + "/", api_key=f" {KEY}\n", team_id="team", user_id="user")
    )

    backend.workflows()
    backend.close()

    headers = {name.lower(): value for name, value in peer.asked[0]["headers"].items()}
    assert headers["authorization"] == f"Bearer {KEY}"
    assert (headers["teamid"], headers["uuid"]) == ("team", "user")
    assert headers["x-interactly-api-version"] == "2026-04-01"
    assert headers["user-agent"].startswith("workflow-debugger/")
    assert headers["content-type"] == headers["accept"] == "application/json"


def test_new_workflow_is_named_without_secrets(peer, hosted):
    peer.answers(201, {"workflow": {"_id": WORKFLOW, "workflow_config": {"name": "Tea"}}})
    graph = document(static("a", "Hello"), name="Tea", description="Sells tea")

    summary = hosted.create_workflow({**graph, "secret_variables": {"pin": "1234"}, "future": 1})

    sent = peer.asked[0]["body"]
    assert (sent["name"], sent["description"], sent["future"]) == ("Tea", "Sells tea", 1)
    assert sent["node_configs"] == graph["node_configs"]
    assert "secret_variables" not in sent
    assert (summary.id, summary.name) == (WORKFLOW, "Tea")


def test_invalid_document_is_not_sent(peer, hosted):
    with pytest.raises(WorkflowError, match="not a workflow"):
        hosted.create_workflow({"name": "Tea"})

    assert peer.asked == []


def test_other_machine_needs_a_key():
    backend = HostedBackend(HostedSettings(base_url="https://api.example/workflows"))

    with pytest.raises(AuthenticationError, match="No API key is set") as raised:
        first_turn(backend).finish()

    assert "INTERACTLY_API_KEY" in raised.value.advice
    backend.close()


def test_loopback_needs_no_key(peer):
    peer.answers(body={"workflows": []})
    backend = HostedBackend(HostedSettings(base_url=peer.url))

    assert backend.workflows() == []

    assert "Authorization" not in peer.asked[0]["headers"]
    backend.close()


def test_list_without_sign_ends_at_total(peer, hosted):
    ids = [f"{number:024x}" for number in range(250)]
    for start in (0, 100, 200):
        peer.answers(body={"workflows": [{"_id": i} for i in ids[start : start + 100]], "total": 250})

    found = hosted.workflows("tea & co")

    assert [summary.id for summary in found] == ids
    assert peer.asked[2]["path"] == "/workflows/v1/workflows?page=3&size=100&search=tea+%26+co"


def test_list_ends_by_its_own_sign(peer, hosted):
    peer.answers(body={"items": [{"_id": WORKFLOW}], "has_next": True, "size": 1})
    peer.answers(body={"items": [{"_id": RUN}], "has_next": False, "size": 1})

    assert [summary.id for summary in hosted.workflows()] == [WORKFLOW, RUN]


def test_a_list_that_repeats_itself_ends(peer, hosted):
    for _ in range(2):
        peer.answers(body={"workflows": [{"_id": WORKFLOW}], "total": 99})

    assert len(hosted.workflows()) == 1


def test_versions_without_flag_use_active_of_workflow(peer, hosted):
    peer.answers(body={"versions": [{"version_number": 1}, {"version_number": 0, "version_name": "First"}]})
    peer.answers(body={"workflow": {"_id": WORKFLOW, "active_version_number": 1, "workflow_config": None}})

    versions = hosted.versions(WORKFLOW)

    assert [(version.version_number, version.is_active) for version in versions] == [(0, False), (1, True)]


@pytest.mark.parametrize("key", ["config", "workflow_config"])
def test_older_graph_is_read_from_row(peer, hosted, key):
    graph = document(static("a", "Hello"))
    peer.answers(body={"versions": [{"version_number": 2, "config": None, key: graph}]})

    assert hosted.workflow(WORKFLOW, 2).to_wire() == graph


def test_older_graph_may_be_unavailable(peer, hosted):
    peer.answers(body={"versions": [{"version_number": 0, "workflow_config": {"name": "Tea"}}]})
    peer.answers(body={"workflow": {"_id": WORKFLOW, "active_version_number": 1, "workflow_config": {}}})

    with pytest.raises(UnsupportedError, match=r"active version \(1\) only"):
        hosted.workflow(WORKFLOW, 0)


def test_active_graph_is_read_two_levels_deep(peer, hosted):
    graph = document(static("a", "Hello"))
    peer.answers(body={"versions": [{"version_number": 0}]})
    peer.answers(body={"workflow": {"_id": WORKFLOW, "active_version_number": 0, "workflow_config": graph}})

    assert hosted.workflow(WORKFLOW, 0).to_wire() == graph
    assert peer.asked[1]["path"].endswith("?fully_hydrate=true")


def test_unknown_version_error_lists_known_ones(peer, hosted):
    peer.answers(body={"versions": [{"version_number": 0}, {"version_number": 1}]})

    with pytest.raises(NotFoundError) as raised:
        hosted.workflow(WORKFLOW, 7)

    assert "no version 7" in raised.value.message
    assert "0, 1" in raised.value.advice


def test_a_run_is_read_nested_and_flat(peer, hosted):
    inner = {"workflow_run_id": RUN, "workflow_id": WORKFLOW, "status": "completed"}
    peer.answers(body={"workflow_run": {"_id": RUN, "created_at": "2026-07-01", "workflow_run": inner}})
    peer.answers(body=inner)

    nested, flat = hosted.run(RUN), hosted.run(RUN)

    assert (nested.workflow_run_id, nested.created_at) == (RUN, "2026-07-01")
    assert flat.to_wire() == inner


def test_runs_are_filtered_by_the_api(peer, hosted):
    inner = {"workflow_run_id": RUN, "workflow_id": WORKFLOW, "status": "failed", "input_output_pairs": None}
    peer.answers(body={"workflow_runs": [{"_id": RUN, "workflow_run": inner}], "total": 41})

    page = hosted.runs(workflow_id=WORKFLOW, status="failed", page=5, size=10)

    assert peer.asked[0]["path"].endswith(f"?page=5&size=10&workflow_id={WORKFLOW}&status=failed")
    assert (page.total, page.rows[0].status, page.rows[0].input_output_pairs) == (41, "failed", [])


def test_run_search_uses_api_parameters(peer, hosted):
    peer.answers(body={"workflow_runs": [], "total": 0})
    began = datetime(2026, 7, 1, tzinfo=UTC)

    hosted.runs(search=RunSearch(since=began, text=" green  tea ", source_workflow_run_id=RUN))

    query = parse_qs(urlsplit(peer.asked[0]["path"]).query)
    assert query == {
        "page": ["1"],
        "size": ["50"],
        "start": ["2026-07-01T00:00:00+00:00"],
        "search": ["green tea"],
        "source_workflow_run_id": [RUN],
    }


@pytest.mark.parametrize("wanted", [{"tag": "smoke"}, {"starred": True}, {"version_number": 3}])
def test_unsupported_search_is_rejected_before_sending(peer, hosted, wanted):
    with pytest.raises(UnsupportedError, match="version, tags and stars"):
        hosted.runs(search=RunSearch(**wanted))

    assert peer.asked == []


@pytest.mark.parametrize(
    "base_url, words",
    [
        ("", "No base URL"),
        ("   ", "No base URL"),
        ("api.example/workflows", "does not begin with"),
        ("ftp://api.example", "does not begin with"),
        ("https://", "does not begin with"),
        ("http://api.example:port", "not a URL"),
        ("https://api.example/workflows/v1", "contains a part of the API's own paths"),
        ("https://api.example/workflows/v1/workflows/", "contains a part of the API's own paths"),
        (f"https://api.example/?key={KEY}", "has a user, a query or a fragment"),
        (f"https://me:{KEY}@api.example", "has a user, a query or a fragment"),
    ],
)
def test_unusable_base_url_is_rejected_at_once(base_url, words):
    with pytest.raises(SettingsError, match=words) as raised:
        HostedBackend(HostedSettings(base_url=base_url))

    assert KEY not in str(raised.value)


def test_unusable_key_is_rejected_at_once():
    with pytest.raises(SettingsError, match="INTERACTLY_API_KEY") as raised:
        HostedBackend(HostedSettings(base_url="https://api.example", api_key="sk-ключ"))

    assert "ключ" not in str(raised.value)


def test_a_new_version_knows_whether_it_is_active(peer, hosted):
    peer.answers(201, {"version": {"version_number": 4, "version_name": "Four"}, "parent_active_version": 4})

    version = hosted.create_version(WORKFLOW, version_name="Four", mark_as_active=True)

    assert (version.version_number, version.is_active) == (4, True)
    assert peer.asked[0]["body"] == {"mark_as_active": True, "version_name": "Four"}


def test_activation_has_no_body_and_deletion_reads_none(peer, hosted):
    peer.answers(body={"workflow": {"_id": WORKFLOW}})
    peer.answers(204, raw=b"")

    hosted.activate_version(WORKFLOW, 2)
    hosted.delete_workflow(WORKFLOW)

    assert peer.asked[0]["path"].endswith(f"/v1/workflows/{WORKFLOW}/versions/2/activate")
    assert [asked["body"] for asked in peer.asked] == [None, None]
    assert [asked["method"] for asked in peer.asked] == ["POST", "DELETE"]


@pytest.mark.parametrize("proxy", ["foo://user:hush@proxy", "http://user:hush@proxy:port"])
def test_unusable_proxy_is_rejected_without_password(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(SettingsError, match="proxy") as caught:
        HostedBackend(HostedSettings(base_url="https://api.example/workflows", api_key="key"))

    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_certificates_that_are_not_there_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))

    with pytest.raises(SettingsError, match="certificates") as caught:
        HostedBackend(HostedSettings(base_url="https://api.example/workflows", api_key="key"))

    assert "SSL_CERT_FILE" in caught.value.advice


LISTED_RUN, OTHER = "6" * 24, "7" * 24


class Records:
    """One run, and what was read of it."""

    def __init__(self, **fields):
        self.fields = {"status": "waiting_for_user_input", "updated_at": "2026-01-01T10:00:00Z", **fields}
        self.pairs = 1
        self.is_listed = True
        self.reads = []

    def run(self, run_id):
        self.reads.append("record")
        pairs = [{"run_input": {}, "run_output": {"events": []}}] * self.pairs
        return Run(workflow_run_id=run_id, workflow_id=OTHER, input_output_pairs=pairs, **self.fields)

    def rows(self, workflow_id, size):
        self.reads.append("rows")
        assert workflow_id == OTHER
        run_id = LISTED_RUN if self.is_listed else OTHER
        return [Run(workflow_run_id=run_id, workflow_id=workflow_id, **self.fields)]


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def revisions(records):
    return RunRevisions(records.run, records.rows, lambda run_id, last: None)


def test_record_is_read_once_while_nothing_changes(records, revisions):
    first = [revisions.read(LISTED_RUN) for _ in range(3)]

    assert [revision.record_length for revision in first] == [1, 1, 1]
    assert records.reads == ["record", "rows", "rows"]


@pytest.mark.parametrize(
    "change", [{"updated_at": "2026-01-01T10:00:01Z"}, {"status": "completed"}], ids=["later", "status"]
)
def test_changed_row_reads_record_again(records, revisions, change):
    revisions.read(LISTED_RUN)
    records.fields |= change
    records.pairs = 2

    assert revisions.read(LISTED_RUN).record_length == 2
    assert records.reads == ["record", "rows", "record"]


def test_missing_row_reads_record_again(records, revisions):
    revisions.read(LISTED_RUN)
    records.is_listed = False
    records.pairs = 2

    assert revisions.read(LISTED_RUN).record_length == 2


@pytest.mark.parametrize("fields", [{"updated_at": None}, {"status": "running"}], ids=["no time", "running"])
def test_record_is_read_where_row_proves_nothing(fields):
    records = Records(**fields)
    revisions = RunRevisions(records.run, records.rows, lambda run_id, last: None)

    revisions.read(LISTED_RUN)
    revisions.read(LISTED_RUN)

    assert records.reads == ["record", "record"]


def test_turn_of_other_client_is_seen(tmp_path):
    with serving(f"sqlite:///{tmp_path}/served.sqlite3", tmp_path) as api:
        workflow_id = create(api, graph(chat("ask")))
        settings = HostedSettings(base_url=str(api.base_url), api_key=SERVER_KEY, live_events="off")
        ours, theirs = HostedBackend(settings), HostedBackend(settings)
        run_id = ours.execute(workflow_id, TurnInput.with_message("Hello")).finish().run_id

        before = [ours.revision(run_id).record_length for _ in range(2)]
        said = TurnInput.with_message("More", command="data")
        theirs.execute(workflow_id, said, run_id=run_id).finish()
        after = ours.revision(run_id)
        ours.close()
        theirs.close()

    assert before == [1, 1]
    assert (after.record_length, after.turn_number) == (2, None)


def test_missing_list_reads_record_again(records):
    def refuse(_workflow_id, _size):
        raise NotFoundError("There is no list.")

    revisions = RunRevisions(records.run, refuse, lambda run_id, last: None)
    revisions.read(LISTED_RUN)
    records.pairs = 2

    assert revisions.read(LISTED_RUN).record_length == 2
