"""Users of an identity provider, and their roles.

Streamlit's cookie lasts for 30 days and is accepted after a logout, too. So what it holds is checked here
once more: its signature, its expiry, and that the login was not ended.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from debugger.errors import SettingsError
from debugger.store import Role
from debugger.store.keys import MAX_NAME_CHARACTERS
from debugger.views.streamlit_patches.login import read_login_cookie

_NEVER = 1e11
"""Seconds since 1970 at which no login expires: the time is then no time."""
_EXAMPLE = "Write them as in ada@example.com=admin, *@example.com=read, claim:groups:qa=run."


@dataclass(frozen=True)
class Identity:
    """A user as the identity provider names them."""

    name: str
    claims: Mapping[str, Any]
    digest: str
    """The digest of all claims, the time of the login among them."""
    expires_at: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class RoleRule:
    """One entry of the setting: who gets a role."""

    role: Role
    claim: str
    """The name of a claim of the ID token; ``email`` for an address."""
    value: str
    """The claim's value, or one of its values; an address in lower case, or ``*@domain`` for a domain."""

    def applies(self, claims: Mapping[str, Any]) -> bool:
        """Return whether a user with these claims gets the role.

        A claim fits by its text, or as a list by one of its entries. An address fits in any case, only where
        it is not marked as unverified; ``*@domain`` fits each address of the domain.
        """
        if self.claim != "email":
            values = claims.get(self.claim)
            return self.value in (values if isinstance(values, list) else [values])
        address = _address(claims).lower()
        return address.endswith(self.value[1:]) if self.value.startswith("*@") else self.value == address


def _address(claims: Mapping[str, Any]) -> str:
    """Return the user's verified e-mail address; empty where the claim is anything else."""
    address = _name(claims.get("email"))
    return address if address.count("@") == 1 and _is_verified(claims) else ""


def _name(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() else ""


def _is_verified(claims: Mapping[str, Any]) -> bool:
    # Some providers send it as a text, and those of a single company leave it out.
    return str(claims.get("email_verified", True)).lower() == "true"


def read_roles(setting: str) -> tuple[RoleRule, ...]:
    """Return the rules of the setting ``roles``.

    Raises:
        SettingsError: An entry is not of the form ``user=role``.
    """
    return tuple(_read_rule(entry.strip()) for entry in setting.split(",") if entry.strip())


def _read_rule(entry: str) -> RoleRule:
    """Return the rule of an entry ``user=role``.

    Raises:
        SettingsError: The entry ends in no role, or names neither an e-mail address nor a claim.
    """
    user, separator, role = (part.strip() for part in entry.rpartition("="))
    place = f"The entry {entry!r} of WORKFLOW_DEBUGGER_ROLES"
    if not separator or role not in list(Role):
        raise SettingsError(f"{place} ends in no role ({', '.join(Role)}).", advice=_EXAMPLE)
    if user.startswith("claim:"):
        _, claim, value = (*user.split(":", 2), "")[:3]
        if claim and claim != "email" and value:
            return RoleRule(Role(role), claim, value)
    else:
        name, at, domain = user.partition("@")
        if at and name and domain and not {"*", "@"} & set(domain) and ("*" not in name or name == "*"):
            return RoleRule(Role(role), "email", user.lower())
    raise SettingsError(f"{place} names neither an e-mail address nor a claim.", advice=_EXAMPLE)


def role_of(claims: Mapping[str, Any], rules: tuple[RoleRule, ...]) -> Role | None:
    """Return the highest role that the rules give a user.

    ``None`` if none applies.
    """
    roles = [rule.role for rule in rules if rule.applies(claims)]
    return max(roles, key=list(Role).index, default=None)


def read_identity(cookies: Mapping[str, str]) -> Identity | None:
    """Return the user in Streamlit's cookies.

    ``None`` without a valid one that has not expired.
    """
    content = read_login_cookie(cookies)
    if content is None:
        return None
    claims = json.loads(content)
    expires_at = claims.get("exp")
    name = _address(claims) or _name(claims.get("sub"))
    if not claims.get("is_logged_in") or not name or not isinstance(expires_at, int | float):
        return None
    if not time.time() < expires_at < _NEVER:  # false of what is no number, too
        return None
    return Identity(_shortened(name), claims, hashlib.sha256(content).hexdigest(), float(expires_at))


def _shortened(name: str) -> str:
    """Return a name, cut to ``MAX_NAME_CHARACTERS``; its digest keeps two long names apart.

    A name that is not longer is returned as it is.
    """
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    digest = hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:16]
    return f"{name[: MAX_NAME_CHARACTERS - 17]}…{digest}"
