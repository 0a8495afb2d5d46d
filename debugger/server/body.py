"""Request bodies as bounded, validated JSON objects."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode
from debugger.server.services import services_of

Model = TypeVar("Model", bound=BaseModel)


class BodyReader:
    """Dependency that reads the body as a JSON object.

    An empty body is an empty object. The model only documents the body: handlers validate it, since some need
    the object as it was sent.

    Args:
        model: The type of the body.
        example: An example for the document of the API.
    """

    def __init__(self, model: Any, example: JsonObject | None = None) -> None:
        self.model = model
        self.example = example

    async def __call__(self, request: Request) -> JsonObject:
        """Return the object that was sent; an empty one for an empty body of any content type.

        Raises:
            HTTPException: The body is too large, or its content type is not JSON. Rejecting other types keeps
                web pages out: a browser asks before it sends JSON to another site, and gets no answer here.
            RequestValidationError: The body is not JSON, or no object.

        Source: empty bodies in ``platform.md#encoding``.
        """
        text = await _read_bytes(request, limit=services_of(request.scope).body_limit)
        if not text:
            return {}
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise HTTPException(415, "The body must be JSON. Send it with 'Content-Type: application/json'.")
        try:
            value = decode(text)
        except (ValueError, RecursionError) as error:
            raise body_error("json_invalid", f"The body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise body_error("dict_type", "The body must be a JSON object")
        return value


def json_body(model: Any, example: JsonObject | None = None) -> Any:
    """Return the dependency of a route that reads a JSON object."""
    return Depends(BodyReader(model, example))


AnyBody = Annotated[JsonObject, json_body(JsonObject)]
"""A body of which no field is needed."""


def validate(model: type[Model], body: JsonObject) -> Model:
    """Return a body as a model.

    Raises:
        RequestValidationError: A field is missing or has a value that it cannot have.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise RequestValidationError(
            [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors(include_url=False)]
        ) from error


def body_error(kind: str, message: str, *path: str) -> RequestValidationError:
    """Return the error for one part of a body.

    Args:
        kind: The type of error, in the words of pydantic.
        message: The message.
        path: The keys that lead to the part; none for the body itself.
    """
    return RequestValidationError([{"type": kind, "loc": ("body", *path), "msg": message}])


async def _read_bytes(request: Request, *, limit: int) -> bytes:
    """Read the body of a request; it is empty where there is none.

    A header that announces too many bytes is enough to refuse it.

    Raises:
        HTTPException: It is larger than the limit; what is beyond it is not read.
    """
    too_large = HTTPException(
        413, f"The body is larger than {limit:,} bytes, which is the most that is taken."
    )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > limit:
            raise too_large
    return bytes(text)
