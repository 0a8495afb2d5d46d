"""The API's URL templates, for client and server alike (``platform/wire.md``).

All are relative to the base URL, but for ``SESSION``, which is relative to its host. The server mounts them
below ``BASE_PATH``; a client's base URL ends in it.
"""

from __future__ import annotations

BASE_PATH = "/workflows"

WORKFLOWS = "/v1/workflows"
WORKFLOW = "/v1/workflows/{workflow_id}"
EXECUTE = "/v1/workflows/{workflow_id}/execute"
PUMP = "/v1/workflows/{workflow_id}/runs/{run_id}/pump-companions"
VERSIONS = "/v1/workflows/{workflow_id}/versions"
ACTIVATE = "/v1/workflows/{workflow_id}/versions/{version_number}/activate"
RUNS = "/v1/workflow-runs"
RUN = "/v1/workflow-runs/{run_id}"
STREAM = "/v1/workflow-runs/ws"
SESSION = "/v1/session"
