from __future__ import annotations

from types import SimpleNamespace

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute

from debugger.protocol import urls
from debugger.protocol.urls import BASE_PATH, STREAM
from debugger.server import app as served
from debugger.server.auth.roles import OPEN_PATHS, REQUIRED_ROLES, required_role
from debugger.store import Role


def routes():
    """Every route of the app: its own ones, and those of the routers that it takes in."""
    app = served.create_app(SimpleNamespace())
    own = [route for route in app.routes if hasattr(route, "path")]
    routers = [*served.ROUTERS, served.operator_router, served.streaming.token_router]
    assert len(own) + len(routers) == len(app.routes)
    return own + [route for router in routers for route in router.routes]


def test_every_route_has_role_or_is_open():
    missing = [
        (method, route.path)
        for route in routes()
        if not isinstance(route, APIWebSocketRoute) and route.path not in OPEN_PATHS
        for method in route.methods
        if (method, route.path) not in REQUIRED_ROLES
    ]

    assert missing == []


def test_every_route_checks_role_or_is_open():
    odd = [route for route in routes() if not isinstance(route, APIRoute) and route.path not in OPEN_PATHS]

    # A socket is looked at by the door.
    assert [(type(route), route.path) for route in odd] == [(APIWebSocketRoute, STREAM)]


def test_unlisted_route_requires_admin():
    assert required_role("GET", "/v1/secrets") is Role.ADMIN
    assert required_role("POST", "/v1/workflows/schema") is Role.ADMIN


def test_read_role_changes_nothing():
    lesser = {method_and_path for method_and_path, role in REQUIRED_ROLES.items() if role is Role.READ}
    there = {
        (method, route.path) for route in routes() if isinstance(route, APIRoute) for method in route.methods
    }

    assert [one for one in lesser & there if one[0] != "GET"] == [
        ("POST", "/v1/workflow-runs/{run_id}/turns/{turn_index}/rerun-preflight")
    ]


def test_review_role_covers_own_feedback():
    own = {path for (_, path), role in REQUIRED_ROLES.items() if role is Role.REVIEW}

    assert own == {
        urls.RUN_COMMENTS,
        urls.EVENT_COMMENTS,
        urls.TURN_COMMENTS,
        urls.EVENT_RATING,
        urls.TURN_RATING,
        urls.FAVORITE,
    }
    assert required_role("DELETE", urls.RUN_COMMENT) is Role.ADMIN


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
def test_open_paths_are_outside_api(path):
    assert not path.startswith((BASE_PATH, "/v1"))
