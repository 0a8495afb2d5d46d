"""Names by which this machine is reached, as a ``Host`` header tells them."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_local_name(host: str) -> bool:
    """Whether a ``Host`` header cannot be a name that a stranger owns: an address, or a name without dots."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name.endswith(".localhost") or not {".", ":"} & set(name):
            return True
        ip_address(name)
    except ValueError:
        return False
    return True
