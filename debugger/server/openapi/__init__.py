"""The document of the API (OpenAPI 3.1): FastAPI's own, with what it does not see.

FastAPI knows paths and parameters (`document`). Bodies and answers are read and written past it here, so
their schemas come from the types that are noted on a route's function (`schemas`), and the statuses of errors
from what the route depends on (`refusals`). What is said comes from the docstrings (`words`).
"""

from __future__ import annotations

from debugger.server.openapi.document import PACKAGE, ApiDocument

__all__ = ["PACKAGE", "ApiDocument"]
