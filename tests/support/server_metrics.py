"""Metrics of a server, and work that it counts."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.support.factories import document


def counted(client, name, **labels):
    """The value of a metric; 0 where it was never counted."""
    return value(client.get(client.base_url.join("/metrics")).text, name, **labels)


def value(text, name, **labels):
    """The same out of a text."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return 0


def new_workflow(api, *parts):
    body = {**document(*parts), "name": "Test"}
    return api.post("/v1/workflows", json=body).json()["workflow"]["_id"]


def execute(api, workflow_id):
    return api.post(f"/v1/workflows/{workflow_id}/execute", json={"run_input": {"command": "start"}})
