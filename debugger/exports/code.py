"""The API call of a turn as code.

The API key is read from the environment and never written.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pprint import pformat

from debugger.boundary import SECRETS_ONLY, Boundary, Kind
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.turn_logs import TurnLog

LOCAL_BASE_URL = f"http://localhost:8611{urls.BASE_PATH}"
"""The default address of ``workflow-debugger serve``."""

_VERSION = "2026-04-01"
_MAX_ARGUMENT = 100_000
"""Characters; Linux takes 131,071 bytes."""


@dataclass(frozen=True)
class ApiCall:
    """One call of the API (``platform.md#execute``)."""

    url: str
    body: JsonObject | None
    """``None`` where the call has none."""


def turn_call(
    turn: TurnLog, base_url: str, workflow_id: str, run_id: str | None, version_number: int | None
) -> ApiCall:
    """Return the call that runs a turn or background work; secrets in its body are masked.

    Args:
        turn: The turn.
        base_url: The API's URL; users and keys in it are masked.
        workflow_id: The workflow.
        run_id: The run that a later turn goes on with.
        version_number: The version that a first turn begins with; ``None`` is the active one.
    """
    release = Boundary(SECRETS_ONLY).release
    base = release(Kind.ADDRESS, base_url.rstrip("/"))
    if turn.is_background:
        path = urls.PUMP.format(workflow_id=workflow_id, run_id=run_id)
        return ApiCall(base + path, None)
    body: JsonObject = {"run_input": release(Kind.RECORD, turn.run_input.with_client_turn_id(None).to_wire())}
    query = ""
    if turn.number > 1:
        body["run_id"] = run_id
    elif version_number is not None:
        query = f"?version={version_number}"
    return ApiCall(base + urls.EXECUTE.format(workflow_id=workflow_id) + query, body)


def as_curl(call: ApiCall) -> str:
    """Return the call as a shell command; key, team and user are variables of the environment."""
    parts = [
        f"curl -sS -X POST {shlex.quote(call.url)}",
        '-H "Authorization: Bearer $INTERACTLY_API_KEY"',
        '-H "teamid: $INTERACTLY_TEAM_ID"',
        '-H "uuid: $INTERACTLY_USER_ID"',
        f"-H 'X-Interactly-API-Version: {_VERSION}'",
        "-H 'Content-Type: application/json'",
    ]
    if call.body is not None:
        body = json.dumps(call.body, indent=2)
        # A longer argument is refused by the system: the body is read from the lines below the command.
        is_long = len(body) > _MAX_ARGUMENT
        parts.append(
            f"--data-binary @- <<'END_OF_BODY'\n{body}\nEND_OF_BODY"
            if is_long
            else f"--data-raw {shlex.quote(body)}"
        )
    return " \\\n  ".join(parts)


def as_python(call: ApiCall) -> str:
    """Return the call as Python code without dependencies, which reads the key from the environment."""
    return _PYTHON.format(
        url=json.dumps(call.url),
        body=pformat(call.body, width=100, sort_dicts=False),
        version=_VERSION,
        data=_DATA[call.body is not None],
    )


CODE_FORMATS: dict[str, tuple[str, Callable[[ApiCall], str]]] = {
    "curl": ("bash", as_curl),
    "Python": ("python", as_python),
}
"""Every language by how people know it: its name for who colours it, and what writes it."""


_DATA = {True: "json.dumps(body).encode()", False: "b''"}

_PYTHON = """\
import json
import os
import urllib.request

body = {body}

request = urllib.request.Request(
    {url},
    data={data},
    headers={{
        "Authorization": "Bearer " + os.environ["INTERACTLY_API_KEY"],
        "teamid": os.environ.get("INTERACTLY_TEAM_ID", ""),
        "uuid": os.environ.get("INTERACTLY_USER_ID", ""),
        "X-Interactly-API-Version": "{version}",
        "Content-Type": "application/json",
    }},
    method="POST",
)
with urllib.request.urlopen(request) as response:
    answer = json.load(response)

print(json.dumps(answer, indent=2))
"""
