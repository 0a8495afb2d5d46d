"""The node that makes one HTTP request (``platform.md#http_request``)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, result_variables
from debugger.engine.outbound import MaskedValue, Secrets
from debugger.engine.outbound.destinations import Destination
from debugger.engine.outbound.http import HttpAnswer, http_call
from debugger.engine.outbound.http_request import (
    ContentType,
    HttpRequest,
    curl_command,
    host_header,
    read_body,
    read_query,
    with_query,
)
from debugger.engine.outbound.secrets import RequestBudget, request_budget
from debugger.errors import InputError
from debugger.expressions import render
from debugger.expressions.template import write_plain
from debugger.protocol.base import JsonObject
from debugger.protocol.events import HttpRequestEvent
from debugger.protocol.json_codec import without_infinities
from debugger.protocol.workflow import NodeConfig

MAX_TIMEOUT_SECONDS = 300
"""Seconds; what a timeout of 0 means, too."""

_READING = ("GET", "HEAD", "OPTIONS")
_WITH_BODY = ("POST", "PUT", "PATCH")


class HttpRequestConfig(NodeConfig):
    """The request, and the format of its answer."""

    url: str | None = None
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    headers: JsonObject | None = None
    query_parameters: str | JsonObject | None = None
    """JSON as a text, in which placeholders are filled before it is read."""
    body_parameters: str | JsonObject | list[Any] | None = None
    """The same; sent with POST, PUT and PATCH."""
    body_content_type: ContentType = "application/json"
    timeout: int = Field(default=30, ge=0, le=MAX_TIMEOUT_SECONDS)
    """Seconds."""
    response_format: Literal["json", "text", "binary"] = "json"
    result_runtime_variable_name: str = "http_request_result"

    @field_validator(
        "method",
        "body_content_type",
        "timeout",
        "response_format",
        "result_runtime_variable_name",
        mode="before",
    )
    @classmethod
    def _null_is_the_default(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.model_fields[str(info.field_name)].default if value in (None, "") else value


@dataclass(frozen=True)
class _Result:
    """The result of the request."""

    command: str | None = None
    status_code: int | None = None
    value: Any = None
    """The answer's body as the response format has it."""
    error: str | None = None


class HttpRequestNode(Node[HttpRequestConfig]):
    """A node that makes one HTTP request.

    Write its answer, whether it succeeded and why not. A status from 200 to 299 is a success (U-11). A body
    that is no object is wrapped as ``{"data": …}`` for event and output, and unchanged in the variable
    (U-10). A failure does not end the run.
    """

    Config: ClassVar[type[NodeConfig]] = HttpRequestConfig
    counts_as_tool_call: ClassVar[bool] = True

    def run(self, context: NodeContext) -> NodeRun:
        """Make the request, yield its event and write value, success and error; a failure ends no run.

        The result variable has the body as the response format wants it, also that of a status beyond 299,
        which is a failure.
        """
        result = self._result(context)
        is_plain = result.value is None or isinstance(result.value, dict)
        wrapped = result.value if is_plain else {"data": result.value}
        yield HttpRequestEvent(
            curl_command=result.command,
            status_code=result.status_code,
            response_body=wrapped,
            error=result.error,
        )
        name = self.config.result_runtime_variable_name
        self.write(context, result_variables(name, result.value, result.error))
        return NodeResult(
            {
                "curl_command": result.command,
                "success": result.error is None,
                "http_status_code": result.status_code,
                "http_response": wrapped,
            }
        )

    def _result(self, context: NodeContext) -> _Result:
        """Send the request through the gateway and return the result; failures are part of it.

        A simulated answer gives a warning. Secrets are masked in command, value and error.
        """
        gateway, secrets = context.outbound, context.outbound.secrets
        call_class: Literal["read", "write"] = "read" if self.config.method in _READING else "write"
        command = None
        try:
            request = self._request(context)
            command = secrets.mask(curl_command(request))
            call = http_call(request, call_class, limits=gateway.limits, cancelled=context.cancelled)
            seconds = context.clamp_timeout(self.config.timeout or MAX_TIMEOUT_SECONDS)
            outcome = gateway.call(call, node_logical_id=self.config.logical_id, timeout=seconds)
        except (InputError, RecursionError) as error:
            problem = str(error) if isinstance(error, InputError) else "Something in it is nested too deep."
            return _Result(command, error=secrets.mask(problem))
        if outcome.how == "simulated":
            context.warnings.append(call.simulation_note)
        answer = outcome.answer
        if answer is None:
            return _Result(command, error=outcome.error)
        value, fault = _value(answer, self.config.response_format, secrets)
        if not answer.is_success:
            fault = f"The server answered {answer.status}."
        return _Result(command, answer.status_code, value, fault)

    def _request(self, context: NodeContext) -> HttpRequest:
        """Return the request with placeholders replaced, and the destination as its author has written it.

        Placeholders without a value are noted in the context.

        Raises:
            InputError: The URL is empty, or query or body is not JSON or too large.
        """
        config, secrets, scope = self.config, context.outbound.secrets, context.scope
        written = {
            name: write_plain(value) for name, value in (config.headers or {}).items() if value is not None
        }
        with request_budget(context.warnings) as budget:
            url = self._url(context, budget)
            query = read_query(config.query_parameters, scope, secrets, budget)
            headers = {name: secrets.fill(each, scope, budget) for name, each in written.items()}
            body = None
            if config.method in _WITH_BODY:
                body = read_body(config.body_parameters, config.body_content_type, scope, secrets, budget)
        for value in (url, query, *headers.values(), body.value if body else None):
            if value is not None:
                context.unresolved += [written for written in value.unresolved if written.startswith("{{")]
        texts = (str(config.url or ""), host_header(written))
        authored = Destination.of(*(render(text, context.authored).text for text in texts))
        if query is not None:
            shown = query.masked if isinstance(query.masked, dict) else {}
            names = url.secret_names | query.secret_names
            real, masked = with_query(url.real, query.real), with_query(url.masked, shown)
            url = MaskedValue(real, masked, secret_names=names)
        return HttpRequest(config.method, url, headers, body, authored, secrets)

    def _url(self, context: NodeContext, budget: RequestBudget) -> MaskedValue:
        """Return the URL: the turn's ``override_url`` unchanged, else the author's with values filled in.

        Raises:
            InputError: Both are empty.
        """
        override = context.node_input.get("override_url")
        if isinstance(override, str) and override.strip():
            return MaskedValue(override.strip(), context.outbound.secrets.mask(override.strip()))
        if not (self.config.url or "").strip():
            raise InputError("The url is empty.", advice="Write the address to call.")
        return context.outbound.secrets.fill(str(self.config.url).strip(), context.scope, budget)


def _value(answer: HttpAnswer, response_format: str, secrets: Secrets) -> tuple[Any, str | None]:
    """Return an answer's body in a format, masked, and the error of a body that is not JSON.

    A binary one is in base64; one that is not JSON comes as text.
    """
    if response_format == "binary":
        return base64.b64encode(secrets.mask_bytes(answer.body)).decode(), None
    if response_format == "text":
        return secrets.mask(answer.text), None
    try:
        return without_infinities(secrets.mask_value(answer.json())), None
    except (ValueError, RecursionError) as error:
        kind = f" (its type is {answer.content_type})" if answer.content_type else ""
        problem = (
            f"The answer cannot be read as JSON{kind}: {error}. "
            "Set response_format to text to take it as it is."
        )
        return secrets.mask(answer.text), secrets.mask(problem)
