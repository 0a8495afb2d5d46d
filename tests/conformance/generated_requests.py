"""Requests generated from a server's OpenAPI document, and their failures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conformance.graphs import direct, graph, greeting, shop, static
from tests.conformance.served import KEY, create, execute, headers, talk

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
ON_PURPOSE = ("No start node found", "No version was selected to be cloned.")
"""What the platform answers 500 to (1.8, 4.1)."""


@dataclass
class Outcome:
    """Result of the requests."""

    statuses: Counter = field(default_factory=Counter)
    never_good: set = field(default_factory=set)
    """The operations of the server that were never answered with a 2xx."""
    faults: list = field(default_factory=list)

    @property
    def count(self):
        return self.statuses.total()

    @property
    def share_of_good(self):
        return sum(count for status, count in self.statuses.items() if status < 300) / self.count


class World:
    """Existing ids that replace generated ones."""

    def __init__(self, api):
        self.api = api
        self._numbers = count()
        self.workflow_id = create(api, shop())
        api.post(f"/v1/workflows/{self.workflow_id}/versions", json={"version_name": "one"})
        self.over_id, result = talk(api, create(api, greeting()))
        self.event_id = result["events"][0]["logical_id"]
        api.post("/v1/global-variables", json={"name": "city", "value": "Bath", "category": "places"})

    def id_for(self, operation, name):
        """Return a value for a parameter or for a body's key."""
        made = {
            "workflow_id": partial(self._workflow, operation),
            "run_id": partial(self._run, operation),
            "version_number": partial(self._version, operation),
            "other_number": lambda: 0,
            "turn_index": lambda: 0,
            "event_id": lambda: self.event_id,
            "comment_id": partial(self._comment, operation),
            "token": self._token,
            "variable_id": partial(self._variable, operation),
        }
        return made[name]()

    def _workflow(self, operation):
        return (
            create(self.api, graph(static("a", "Hi"), static("b", "Bye"), direct("a", "b")))
            if (operation in {"delete_workflow", "replace_config", "limit_runs"})
            else self.workflow_id
        )

    def _run(self, operation):
        if operation in {"execute", "start_or_resume", "pump_companions"}:
            return execute(self.api, self.workflow_id).json()["run_id"]
        if operation == "delete_run":
            return talk(self.api, self.workflow_id)[0]
        return self.over_id

    def _version(self, operation):
        if operation != "delete_version":
            return 0 if operation == "replace_config" else 1
        made = self.api.post(f"/v1/workflows/{self.workflow_id}/versions", json={})
        return made.json()["version"]["version_number"]

    def _comment(self, operation):
        place = {
            "delete_event_comment": f"events/{self.event_id}/comments",
            "delete_turn_comment": "turns/0/comments",
        }.get(operation, "comments")
        url = f"/v1/workflow-runs/{self.over_id}/{place}"
        said = self.api.post(url, json={"content": "Well said"}).json()
        return said["comments"][-1]["logical_id"] if "comments" in said else said["logical_id"]

    def _token(self):
        url = f"/v1/workflow-runs/{self.over_id}/turns/0/rerun-token"
        return self.api.post(url).json()["rerun_token"]

    def _variable(self, operation):
        name = f"variable_{next(self._numbers)}"
        return self.api.post("/v1/global-variables", json={"name": name}).json()["variable"]["id"]


def send_generated(api, per_operation):
    """Send valid and invalid generated requests to each operation.

    Args:
        api: A client of the server.
        per_operation: Requests to an operation with a body or a query; a third of them to one with an id in
            its path only, and two to one without parameters, to which each request is the same.
    """
    root = str(api.base_url.join("/"))
    outcome, world = Outcome(), World(api)
    document = schemathesis.openapi.from_dict(api.get(f"{root}openapi.json").json())
    with requests.Session() as session:
        session.trust_env = False
        for found in document.get_all_operations():
            operation = found.ok()
            outcome.never_good.add(operation.definition.raw["operationId"])
            count = per_operation
            if not operation.body and not operation.query:
                count = per_operation // 3 if operation.path_parameters else 2
            _send_to(operation, count, world, partial(_send, session, root.rstrip("/"), outcome))
    return outcome


def _send_to(operation, examples, world, send):
    name = operation.definition.raw["operationId"]
    # Those that fit come with plain headers: to make some up would take longer than all else.
    fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE, headers=headers())
    broken = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    # An operation without any parts cannot be sent anything that does not fit.
    has_parts = bool(operation.path_parameters or operation.query or operation.body)
    cases = st.one_of(fitting, fitting, broken) if has_parts else fitting

    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.integers(0, 9))
    def send_all(case, luck):
        if luck < 7:
            _put_known(case, name, world)
        if luck < 9:
            case.headers["Authorization"] = f"Bearer {KEY}"
        send(case, name)

    send_all()


def _put_known(case, name, world):
    for key in case.path_parameters or {}:
        case.path_parameters[key] = world.id_for(name, key)
    if not isinstance(case.body, dict):
        return
    if name == "execute" and case.body.get("run_id") is not None:
        case.body["run_id"] = world.id_for(name, "run_id")
    if name == "start_or_resume":
        case.body["workflow_id"] = world.workflow_id
        if case.body.get("workflow_run_id") is not None:
            case.body["workflow_run_id"] = world.id_for(name, "run_id")
    if name == "replace_config":
        case.body["config"] = greeting()
    if name == "import_bundle":
        version = {"version_number": 0, "workflow_config": greeting()}
        case.body["bundle"] = {"export_format": "workflow-bundle/1", "versions": [version]}
        case.body.pop("versions_to_import", None)


def _send(session, root, outcome, case, name):
    answer = case.call(base_url=root, session=session, timeout=30)
    outcome.statuses[answer.status_code] += 1
    if answer.status_code < 300:
        outcome.never_good.discard(name)
    problems = _problems(case, answer)
    if problems:
        outcome.faults.append(
            f"{name}: {problems}\n{case.as_curl_command()}\n{answer.status_code} {answer.text[:300]}"
        )


def _problems(case, answer):
    if (
        answer.status_code >= 500
        and answer.status_code != 501
        and not (answer.status_code == 500 and answer.json()["detail"].startswith(ON_PURPOSE))
    ):
        return "an error of the server"
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        return "; ".join(f"{failure.title}: {failure.message}" for failure in group.exceptions)
    return ""
