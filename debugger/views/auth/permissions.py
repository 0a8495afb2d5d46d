"""The roles that commands of the page need."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from debugger.errors import ForbiddenError
from debugger.store import Role
from debugger.views.auth import identity

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_NEEDED = "needed_role"


def may(role: Role) -> bool:
    """Return whether the user of the current session has a role."""
    return not reason_against(role)


def requires(role: Role) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Let a command refuse users without a role.

    That its controls are drawn disabled is not enough: a browser can send the events of a bar by hand, and a
    role can be taken after the page was drawn. The role is written on the function for `denied`.

    Args:
        role: The role that the command needs.
    """

    def decorate(do: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @wraps(do)
        def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            check_role(role)
            return do(*args, **kwargs)

        setattr(checked, _NEEDED, role)
        return checked

    return decorate


def check_role(role: Role) -> None:
    """Refuse a user without a role.

    Raises:
        ForbiddenError: The user of the current session does not have it.
    """
    if reason := reason_against(role):
        raise ForbiddenError(reason, advice="Ask an administrator of this page for it.")


def reason_against(role: Role) -> str:
    """Return why the user may not do what needs a role; empty where the user may."""
    own = identity.current_user().role
    return "" if own is not None and own.covers(role) else f"Needs the role {role}; you have {own or 'none'}."


def needed_role(do: Callable[..., Any]) -> Role | None:
    """Return the role that a callback needs, as `requires` has written it; ``None`` where it needs none."""
    while isinstance(do, partial):
        do = do.func
    role: Role | None = getattr(do, _NEEDED, None)
    return role


def denied(do: Callable[..., Any] | None) -> str:
    """Return why the user may not use a control, by its callback; empty where the user may."""
    role = None if do is None else needed_role(do)
    return "" if role is None else reason_against(role)


def on_click(do: Callable[..., Any], *, disabled: bool = False, help: str | None = None) -> dict[str, Any]:
    """Return the arguments of a Streamlit button that is disabled for users who may not press it.

    Args:
        do: The callback.
        disabled: Whether it is disabled for everybody.
        help: The tooltip; the missing role takes its place.
    """
    reason = denied(do)
    return {"on_click": do, "disabled": disabled or bool(reason), "help": reason or help}


def on_change(do: Callable[..., Any], *, disabled: bool = False, help: str | None = None) -> dict[str, Any]:
    """Return the same arguments of a Streamlit input."""
    reason = denied(do)
    return {"on_change": do, "disabled": disabled or bool(reason), "help": reason or help}
