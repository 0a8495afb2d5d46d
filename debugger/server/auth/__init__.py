"""Authentication by API keys, and the roles that routes require."""

from debugger.server.auth.keys import KeyStore, Principal, principal_of
from debugger.server.auth.middleware import AuthMiddleware
from debugger.server.auth.roles import check_role

__all__ = ["AuthMiddleware", "KeyStore", "Principal", "check_role", "principal_of"]
