"""The roles that commands of the page need: controls are drawn disabled, and commands refuse, without them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from debugger.errors import ForbiddenError
from debugger.store import Role
from debugger.views.identity import current_user

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_NEEDS = "needed_role"


def may(role: Role) -> bool:
    """Return whether the user of the current session has a role."""
    own = current_user().role
    return own is not None and own.covers(role)


def requires(role: Role) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Let a command refuse users without a role.

    Streamlit runs the callback of a disabled widget when a browser sends its event all the same, so that
    drawing a control disabled protects nothing. The role is written on the function, for `denied`.

    Args:
        role: The role that the command needs.
    """

    def decorate(do: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @wraps(do)
        def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            check(role)
            return do(*args, **kwargs)

        setattr(checked, _NEEDS, role)
        return checked

    return decorate


def check(role: Role) -> None:
    """Refuse users without a role.

    Raises:
        ForbiddenError: The user of the current session does not have it.
    """
    if reason := reason_against(role):
        raise ForbiddenError(reason, advice="Ask an administrator of this page for the role.")


def reason_against(role: Role | None) -> str:
    """Return why the user may not do what needs a role; empty where the user may."""
    if role is None or may(role):
        return ""
    own = current_user().role
    return f"Needs the role {role}; you have {own or 'none'}."


def needed_role(do: Callable[..., Any] | None) -> Role | None:
    """Return the role that a callback needs, as `requires` has written it; ``None`` where it needs none."""
    while isinstance(do, partial):
        do = do.func
    role: Role | None = getattr(do, _NEEDS, None)
    return role


def denied(do: Callable[..., Any] | None) -> str:
    """Return why a control with a callback is disabled for this user; empty where it is not."""
    return reason_against(needed_role(do))
