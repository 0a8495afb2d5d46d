"""The parameters of an HTTP request that an author wrote as JSON (``platform/engine.md`` 2.5)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from debugger.engine.outbound.http_message import ContentType, HttpBody
from debugger.engine.outbound.secrets import MARK, RequestBudget, Secrets, Veiled
from debugger.errors import InputError
from debugger.expressions import Scope
from debugger.protocol.json_text import encode

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_MEND = "Put quotes around a placeholder that stands for a text."


def read_query(written: Any, scope: Scope, secrets: Secrets, budget: RequestBudget) -> Veiled | None:
    """The query, an object; ``None`` where there is none.

    Args:
        written: A text of JSON with placeholders, or an object.
        scope: The variables.
        secrets: The run's.
        budget: The request's.

    Raises:
        InputError: It is not JSON once its placeholders are filled in, or no object.
        RunError: It exceeds the budget.
    """
    found = _read(written, scope, secrets, budget, "query_parameters")
    if found is not None and not isinstance(found.real, dict):
        raise InputError("query_parameters must be a JSON object.", advice='Write it as {"name": "value"}.')
    return found


def read_body(
    written: Any, content_type: ContentType, scope: Scope, secrets: Secrets, budget: RequestBudget
) -> HttpBody | None:
    """The body; ``None`` where there is none. Plain text is sent as it is written.

    Args:
        written: A text of JSON with placeholders, or an object.
        content_type: What it is sent as.
        scope: The variables.
        secrets: The run's.
        budget: The request's.

    Raises:
        InputError: It is not JSON once its placeholders are filled in, or no object where a form needs one.
        RunError: It exceeds the budget.
    """
    if content_type == "text/plain":
        text = written if isinstance(written, str) or written is None else encode(written).decode()
        return HttpBody(content_type, secrets.fill(text, scope, budget)) if text else None
    found = _read(written, scope, secrets, budget, "body_parameters")
    if found is None:
        return None
    if content_type in _FORMS and not isinstance(found.real, dict):
        raise InputError(
            f"body_parameters must be a JSON object to be sent as {content_type}.",
            advice='Write it as {"name": "value"}.',
        )
    return HttpBody(content_type, found)


def _read(
    written: Any, scope: Scope, secrets: Secrets, budget: RequestBudget, field_name: str
) -> Veiled | None:
    if not isinstance(written, str):
        return None if written is None else secrets.fill_value(written, scope, budget)
    filled = secrets.fill(written, scope, budget)
    if not filled.real.strip():
        return None
    real = _parsed(filled.real, field_name)
    try:
        shown = _parsed(filled.shown, field_name)
    except InputError:  # where the mark that stands for a secret leaves no JSON, nothing is shown
        shown = {MARK: MARK}
    return None if real is None else replace(filled, real=real, shown=secrets.mask_value(shown))


def _parsed(text: str, field_name: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        # Only the place is told: the text may hold a secret.
        raise InputError(
            f"{field_name} is not JSON once its placeholders are filled in: {error.msg} at line "
            f"{error.lineno}, column {error.colno}.",
            advice=_MEND,
        ) from None
    except (RecursionError, ValueError):
        raise InputError(f"{field_name} is nested too deep, or has too long a number.") from None
