"""What each route needs of those who ask for it."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from debugger.errors import ForbiddenError
from debugger.protocol import urls
from debugger.server.access.caller import caller_of
from debugger.store import Role

_READING = [
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

NEEDED: dict[tuple[str, str], Role] = {
    **{("GET", path): Role.READ for path in _READING},
    # It only tells what would be.
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
    # One's own; a comment that is deleted may be another's.
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
"""The role for a method and a path's template. A route that is missing needs an administrator."""

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""What answers to everybody: it tells nothing of what is kept here."""


SOCKETS_NEED = Role.RUN
"""The role that a socket needs, whichever: it is there to run turns."""


async def check_role(connection: HTTPConnection) -> None:
    """Let only those go on who have the role that the route needs; sockets have been looked at by the door.

    Raises:
        ForbiddenError: The caller may not do this.
    """
    scope = connection.scope
    if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
        return
    role = caller_of(scope).role
    if role is not Role.ADMIN:
        needed = role_needed(scope["method"], scope["route"].path)
        if not role.covers(needed):
            raise ForbiddenError(too_little(role, needed))


def role_needed(method: str, path: str) -> Role:
    """The role that a route needs."""
    return NEEDED.get((method, path), Role.ADMIN)


def too_little(role: Role, needed: Role) -> str:
    """What to tell somebody whose role is not enough."""
    return f"This needs a key with the role {needed}; the key that was shown has the role {role}."
