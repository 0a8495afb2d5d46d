"""The role that each route requires."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from debugger.errors import ForbiddenError
from debugger.protocol import urls
from debugger.server.auth.keys import principal_of
from debugger.store import Role

_READ_PATHS = [
    urls.WORKFLOWS,
    urls.WORKFLOW,
    urls.WORKFLOW_SCHEMA,
    urls.GLOBAL_NODE_SCHEMA,
    urls.DYNAMIC_VARIABLES,
    urls.ACTIVE_VERSIONS,
    urls.EXPORT,
    urls.VERSIONS,
    urls.DIFF,
    urls.RUNS,
    urls.RUN,
    urls.RUN_SCHEMA,
    urls.EVALUATION_RESULT,
    urls.RERUNNABLE_TURNS,
    urls.RERUN_TOKEN,
    urls.GLOBALS,
    urls.GLOBAL,
    urls.GLOBALS_RESOLVED,
    "/metrics",
]

REQUIRED_ROLES: dict[tuple[str, str], Role] = {
    **{("GET", path): Role.READ for path in _READ_PATHS},
    # It changes nothing.
    ("POST", urls.RERUN_PREFLIGHT): Role.READ,
    ("POST", urls.EXECUTE): Role.RUN,
    ("POST", urls.RUNS): Role.RUN,
    ("POST", urls.PUMP): Role.RUN,
    # Its token opens a socket.
    ("GET", urls.SESSION): Role.RUN,
    ("POST", urls.RERUN_TOKENS): Role.RUN,
    ("PATCH", urls.RERUN_TOKEN): Role.RUN,
    ("POST", urls.RERUN): Role.RUN,
    ("POST", urls.RUN_COMMENTS): Role.REVIEW,
    ("POST", urls.EVENT_COMMENTS): Role.REVIEW,
    ("POST", urls.TURN_COMMENTS): Role.REVIEW,
    # Ratings are one's own; a comment that is deleted may be another user's.
    ("PUT", urls.EVENT_RATING): Role.REVIEW,
    ("DELETE", urls.EVENT_RATING): Role.REVIEW,
    ("PUT", urls.TURN_RATING): Role.REVIEW,
    ("DELETE", urls.TURN_RATING): Role.REVIEW,
    ("DELETE", urls.RUN_COMMENT): Role.ADMIN,
    ("DELETE", urls.EVENT_COMMENT): Role.ADMIN,
    ("DELETE", urls.TURN_COMMENT): Role.ADMIN,
    ("POST", urls.FAVORITE): Role.REVIEW,
    ("DELETE", urls.FAVORITE): Role.REVIEW,
    ("POST", urls.WORKFLOWS): Role.ADMIN,
    ("PATCH", urls.WORKFLOW): Role.ADMIN,
    ("DELETE", urls.WORKFLOW): Role.ADMIN,
    ("POST", urls.CLONE): Role.ADMIN,
    ("POST", urls.IMPORT): Role.ADMIN,
    ("PATCH", urls.CONCURRENCY): Role.ADMIN,
    ("POST", urls.VERSIONS): Role.ADMIN,
    ("PATCH", urls.VERSION): Role.ADMIN,
    ("PATCH", urls.VERSION_CONFIG): Role.ADMIN,
    ("POST", urls.ACTIVATE): Role.ADMIN,
    ("DELETE", urls.VERSION): Role.ADMIN,
    ("DELETE", urls.RUN): Role.ADMIN,
    ("POST", urls.GLOBALS): Role.ADMIN,
    ("POST", urls.GLOBALS_BULK): Role.ADMIN,
    ("PATCH", urls.GLOBAL): Role.ADMIN,
    ("DELETE", urls.GLOBAL): Role.ADMIN,
}
"""The role for a method and a path's template. A route that is missing requires an administrator."""

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""Paths without authentication: they reveal nothing of the store."""
SOCKET_ROLE = Role.RUN
"""The role that a socket requires: it runs turns."""


async def check_role(connection: HTTPConnection) -> None:
    """Reject a request whose key lacks the role that the route requires.

    Open paths need no key. The middleware has checked sockets already.

    Raises:
        ForbiddenError: The role is not enough.
    """
    scope = connection.scope
    if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
        return
    role = principal_of(scope).role
    if role is not Role.ADMIN:
        required = required_role(scope["method"], scope["route"].path)
        if not role.covers(required):
            raise ForbiddenError(missing_role_message(role, required))


def required_role(method: str, path: str) -> Role:
    """Return the role that a route requires: an administrator's where it is not listed."""
    return REQUIRED_ROLES.get((method, path), Role.ADMIN)


def missing_role_message(role: Role, required: Role) -> str:
    """Return the message for a key whose role is not enough."""
    return f"This needs a key with the role {required}; the key that was shown has the role {role}."
