"""The JSON object in the body of a request."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import Depends, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode
from debugger.server.services import services_of

Fields = TypeVar("Fields", bound=BaseModel)


async def read_object(request: Request) -> JsonObject:
    """The object that was sent; an empty body is an empty object.

    Raises:
        HTTPException: The body is too large, or is not said to be JSON. Refusing other content types keeps
            web pages out: a browser asks before it sends JSON to another site, and is not answered here.
        RequestValidationError: It is not JSON, or no object.

    Source: empty bodies in ``platform/wire.md`` 1.6.
    """
    text = await _read_bytes(request, limit=services_of(request.scope).body_limit)
    if not text:
        return {}
    if not _says_json(request.headers.get("content-type", "")):
        raise HTTPException(415, "The body must be JSON. Send it with 'Content-Type: application/json'.")
    try:
        value = decode(text)
    except (ValueError, RecursionError) as error:
        raise unusable("json_invalid", f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise unusable("dict_type", "The body must be a JSON object")
    return value


JsonBody = Annotated[JsonObject, Depends(read_object)]


def read_fields(kind: type[Fields], body: JsonObject) -> Fields:
    """The fields of a body.

    Raises:
        RequestValidationError: One is missing or has a value that it cannot have.
    """
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise RequestValidationError(
            [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors(include_url=False)]
        ) from error


def unusable(kind: str, message: str, *path: str) -> RequestValidationError:
    """The error for one thing in a body that cannot be used.

    Args:
        kind: What is wrong with it, in pydantic's words.
        message: The same for people.
        path: The keys that lead to it; none for the body itself.
    """
    return RequestValidationError([{"type": kind, "loc": ("body", *path), "msg": message}])


async def _read_bytes(request: Request, *, limit: int) -> bytes:
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > limit:
        raise _too_large(limit)
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > limit:
            raise _too_large(limit)
    return bytes(text)


def _says_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"The body is larger than {limit:,} bytes, which is the most that is taken.")
