"""Who may use the server, and for what.

A request comes to the door (`door`), which asks the key ring who shows the key (`key_ring`) and writes the
caller on it (`caller`). Once its route is known, the role that the route needs is looked up (`roles`).
"""

from debugger.server.access.caller import Caller, caller_of
from debugger.server.access.door import Access
from debugger.server.access.key_ring import KeyRing
from debugger.server.access.roles import check_role

__all__ = ["Access", "Caller", "KeyRing", "caller_of", "check_role"]
