"""The tool that calls an HTTP API (``platform.md#tool-types``)."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from debugger.engine.outbound import CallClass, MaskedValue, Secrets
from debugger.engine.outbound.destinations import Destination
from debugger.engine.outbound.http import HttpAnswer, http_call
from debugger.engine.outbound.http_request import HttpBody, HttpRequest, host_header
from debugger.engine.outbound.masking import mask_url
from debugger.engine.outbound.secrets import RequestBudget, request_budget
from debugger.engine.tools.arguments import bind
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult, null_is_default
from debugger.errors import InputError, RunError
from debugger.expressions import Scope, placeholders
from debugger.expressions.placeholders import iter_placeholders
from debugger.expressions.template import RenderBudget, write_plain
from debugger.expressions.values import shortened
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.json_codec import without_infinities

_CLASSES: dict[str, CallClass] = {"none": "read", "reads": "read", "writes": "write", "sends": "contact"}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_QUOTED = 200
"""Characters of a refusal's body in the message."""


_UNFILLED = object()
_LONG_NUMBER = re.compile(r"\d{4}")
_MAX_QUOTED = 80
"""Characters of a text that an error shows."""


class IntegrationAuth(WireModel):
    """The integration whose credentials are sent."""

    integration_id: str


class ExternalApiConfig(ToolConfig):
    """The fields of the tool."""

    tool_id: str | None = None
    side_effect: Literal["none", "reads", "writes", "sends", "unknown"] | None = None
    """What the call does; where it does not say, GET reads and any other method writes."""
    api_endpoint: str | None = None
    api_method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    api_headers: JsonObject = Field(default_factory=dict, repr=False)
    api_body: JsonObject | None = None
    """Also read from a text of JSON; not sent with GET."""
    integration_auth: IntegrationAuth | None = None

    _api_defaults = null_is_default("api_method", "api_headers")

    @field_validator("api_body", mode="before")
    @classmethod
    def _text_is_json(cls, value: Any) -> Any:
        """Return the value of a text of JSON, ``None`` for a blank one; other values unchanged.

        Raises:
            ValueError: The text is not JSON.
        """
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.strip() else None
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it is a text that is not JSON: {error}") from error

    @property
    def is_reference(self) -> bool:
        """Return whether it only names a tool saved on the platform."""
        return bool(self.tool_id) and not (self.api_endpoint or self.api_headers or self.api_body)


class ExternalApiTool(Tool):
    """A call of an HTTP API.

    ``{argument}`` slots take the arguments, after variables are filled in. An answer with a status from 200
    to 299 gives its body: the JSON value, or the text where it is none.

    Raises:
        RunError: An argument that the workflow sets has no slot (``platform.md#variable-arguments``).
    """

    Config = ExternalApiConfig
    config: ExternalApiConfig

    def __init__(self, config: ExternalApiConfig) -> None:
        super().__init__(config)
        if not config.is_reference:
            self._check_slots()

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Fill the request, send it through the gateway, return the body; errors are part of the result.

        A simulated call adds a warning. The body of an answer that is no JSON is its text, secrets masked.
        """
        secrets = context.outbound.secrets
        try:
            request = self._request(arguments, context)
            limits = context.outbound.limits
            by_method: CallClass = "read" if self.config.api_method == "GET" else "write"
            call_class = _CLASSES.get(self.config.side_effect or "", by_method)
            call = http_call(request, call_class, limits=limits, cancelled=context.cancelled)
        except InputError as error:
            return ToolResult.failure(secrets.mask(str(error)))
        except RecursionError:
            return ToolResult.failure("An argument or the body is nested too deep to be sent.")
        outcome = context.reach(call)
        if outcome.answer is None:
            return ToolResult.failure(outcome.error)
        return self._result(outcome.answer, secrets)

    def _request(self, arguments: JsonObject, context: ToolContext) -> HttpRequest:
        """Return the filled request, within the limits of length and time.

        Raises:
            InputError: The tool is only saved on the platform, or a part of the request cannot be filled.
        """
        config = self.config
        if config.is_reference:
            raise InputError(
                f"The tool {config.name!r} is the saved tool {config.tool_id!r}, which is on the platform.",
                advice="Write its endpoint, headers and body into the workflow.",
            )
        with request_budget(context.warnings) as budget:
            return self._filled(arguments, context, budget)

    def _filled(self, arguments: JsonObject, context: ToolContext, budget: RequestBudget) -> HttpRequest:
        """Return the request with variables, secrets and arguments filled in.

        A body goes with other methods than GET. The integration's secret becomes the header ``Authorization``
        unless the author wrote one.

        Raises:
            InputError: The URL is not absolute, or a slot cannot be filled.
            RunError: It exceeds the budget.
        """
        config, secrets = self.config, context.outbound.secrets

        def filled(written: Any, fill: Callable[..., Any] = fill_text) -> MaskedValue:
            """Fill one value with secrets, and with marks in their place."""
            return secrets.fill_with(
                context.scope, lambda seen, part: fill(written, seen, arguments, part), budget
            )

        url = filled((config.api_endpoint or "").strip())
        _check_url(url)
        written = {name: value for name, value in config.api_headers.items() if value is not None}
        headers = {name: filled(write_plain(value)) for name, value in written.items()}
        body = None
        if config.api_body is not None and config.api_method != "GET":
            body = HttpBody("application/json", filled(config.api_body, fill_json))
        secret = self._secret(secrets)
        if secret is not None and not any(name.lower() == "authorization" for name in headers):
            headers = {"Authorization": secret, **headers}
        return HttpRequest(config.api_method, url, headers, body, self._authored(context), secrets)

    def _authored(self, context: ToolContext) -> Destination | None:
        """Return the destination that the author wrote, by the workflow's own values alone.

        It is ``None`` where these give no host, or a slot is malformed.
        """
        config, scope = self.config, context.authored
        arguments = bind(config.variable_arguments, context.authored_arguments, scope).arguments
        host = host_header({name: write_plain(each) for name, each in config.api_headers.items()})
        texts = ((config.api_endpoint or "").strip(), host)
        try:
            budget = RenderBudget([])
            filled = [fill_known(text, scope, arguments, budget) for text in texts]
        except InputError:
            return None
        return Destination.of(*filled)

    def _secret(self, secrets: Secrets) -> MaskedValue | None:
        auth = self.config.integration_auth
        return None if auth is None else secrets.get(auth.integration_id)

    def _result(self, answer: HttpAnswer, secrets: Secrets) -> ToolResult:
        """Return the body of a successful answer, else a failure with the status and the text's beginning.

        A refused key gets advice where the integration's secret is missing.
        """
        if answer.is_success:
            return ToolResult(success=True, result=_body(answer, secrets))
        quoted = secrets.mask(answer.text).strip()[:_QUOTED]
        message = f"The server answered {answer.status}{': ' if quoted else ''}{quoted}."
        auth = self.config.integration_auth
        if answer.status_code in (401, 403) and auth is not None and self._secret(secrets) is None:
            message += (
                f" No secret is named {auth.integration_id!r} after its integration: set "
                f"WORKFLOW_DEBUGGER_SECRET_{auth.integration_id} to the value of the header Authorization."
            )
        return ToolResult.failure(message)

    def _check_slots(self) -> None:
        """Check that each argument that the workflow sets has a slot.

        Raises:
            RunError: One has none.
        """
        config = self.config
        found = slot_names([config.api_endpoint or "", config.api_headers, config.api_body])
        for binding in config.variable_arguments:
            if binding.argument_name not in found:
                raise RunError(
                    f"The tool {config.name!r} sets the argument {binding.argument_name!r}, which has no "
                    "slot in api_endpoint, api_headers or api_body.",
                    advice=f"Write {{{binding.argument_name}}} where its value goes, or remove it from "
                    "variable_arguments.",
                )


def _check_url(url: MaskedValue) -> None:
    """Check that a filled URL is absolute and has no placeholder left.

    Raises:
        InputError: It is not; the message shows it masked.
    """
    left = [placeholder.text for placeholder in placeholders(url.masked)]
    if left or not _ABSOLUTE.match(url.masked):
        what = f"nothing fills {', '.join(left)}" if left else "it is not an absolute URL"
        raise InputError(
            f"unresolved_variables: api_endpoint gives {mask_url(url.masked)!r}, and {what}.",
            advice="Write a URL that begins with https:// and set what it needs.",
        )


def _body(answer: HttpAnswer, secrets: Secrets) -> Any:
    try:
        return without_infinities(secrets.mask_value(answer.json()))
    except (ValueError, RecursionError):
        return secrets.mask(answer.text)


def slot_names(value: Any) -> set[str]:
    """Return the arguments named by slots in a JSON value's texts; keys and placeholders do not count.

    Of a text with a malformed slot those before it count.
    """
    if isinstance(value, str):
        literals = (piece for piece, is_placeholder in _pieces(value) if not is_placeholder)
        return {name for piece in literals for name in _names(piece)}
    if isinstance(value, Mapping):
        return {name for inner in value.values() for name in slot_names(inner)}
    return {name for inner in value for name in slot_names(inner)} if isinstance(value, list) else set()


def fill_text(text: str, scope: Scope, arguments: Mapping[str, Any], budget: RenderBudget) -> str:
    """Fill variables and arguments into a text; unresolved placeholders stay.

    Raises:
        InputError: A slot has no argument, one that is no plain value, or is not written as a slot should be.
        RunError: It exceeds the budget, or takes too long.
    """
    return _filled(text, scope, arguments, _Formatter(budget))


def fill_known(text: str, scope: Scope, arguments: Mapping[str, Any], budget: RenderBudget) -> str:
    """Fill a text; slots that cannot be filled become braces.

    Raises:
        InputError: A slot is not written as one should be.
        RunError: As for a text.
    """
    return _filled(text, scope, arguments, _LenientFormatter(budget))


def fill_json(value: Any, scope: Scope, arguments: Mapping[str, Any], budget: RenderBudget) -> Any:
    """Return a copy of a JSON value with its texts filled; a single slot becomes the argument itself.

    Raises:
        InputError: As for a text.
        RunError: As for a text.
    """
    if isinstance(value, str):
        name = value[1:-1]
        if value != f"{{{name}}}" or not name.isidentifier():
            return fill_text(value, scope, arguments, budget)
        argument = _argument(name, arguments)
        budget.spend_value(argument)
        return argument
    if isinstance(value, Mapping):
        return {key: fill_json(inner, scope, arguments, budget) for key, inner in value.items()}
    return [fill_json(each, scope, arguments, budget) for each in value] if isinstance(value, list) else value


def _filled(text: str, scope: Scope, arguments: Mapping[str, Any], formatter: _Formatter) -> str:
    """Return a text with placeholders and slots filled by a formatter.

    Raises:
        InputError: A slot cannot be filled.
        RunError: It exceeds the budget.
    """
    return "".join(
        formatter.budget.fill(piece, scope).text
        if is_placeholder
        else _formatted(piece, arguments, formatter)
        for piece, is_placeholder in _pieces(text)
    )


class _Formatter(string.Formatter):
    """A formatter that resolves ``[key]`` but no attributes, which are Python's."""

    def __init__(self, budget: RenderBudget) -> None:
        self.budget = budget

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        # What fills the slots is counted as it is made, because a text may have many of them.
        self.budget.spend(len(format_string))
        return super().vformat(format_string, args, kwargs)

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return the value of a slot and its key, as `string.Formatter` does.

        Raises:
            InputError: It reaches in with a dot, has no argument, or is an object or a list.
        """
        name = field_name.partition("[")[0]
        if "." in field_name:
            raise InputError(f"The slot {{{field_name}}} reaches into its argument with a dot.")
        _argument(name, kwargs)
        value, key = super().get_field(field_name, args, kwargs)
        if isinstance(value, dict | list):
            raise InputError(
                f"The argument {name!r} holds an object or a list, which cannot be a part of a text.",
                advice=f"Let {{{field_name}}} be the whole of a value in api_body, or reach into it.",
            )
        return value, key

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Return a value formatted for a slot, whose length is counted against the budget.

        Raises InputError where the format has a number of four digits or more, and RunError beyond the
        budget.
        """
        if _LONG_NUMBER.search(format_spec):
            raise InputError(f"The slot with {format_spec!r} in it would make too long a text.")
        formatted = str(super().format_field(value, format_spec))
        self.budget.spend(len(formatted))
        return formatted


class _LenientFormatter(_Formatter):
    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        try:
            return super().get_field(field_name, args, kwargs)
        except (InputError, KeyError, IndexError, TypeError, AttributeError):
            return _UNFILLED, field_name

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return value if value is _UNFILLED else super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> Any:
        return "{}" if value is _UNFILLED else super().format_field(value, format_spec)


def _formatted(piece: str, arguments: Mapping[str, Any], formatter: _Formatter) -> str:
    """Return a text between placeholders with its slots filled.

    Raises:
        InputError: One cannot be filled, or the text is no format.
    """
    try:
        return formatter.vformat(piece, (), arguments)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(
            f"The slots of {shortened(piece, _MAX_QUOTED)!r} cannot be filled: {error}.",
            advice="Write {{ for a bracket that is not a slot, and name each slot after an argument.",
        ) from None


def _argument(name: str, arguments: Mapping[str, Any]) -> Any:
    """Return an argument; an InputError says where there is none of the name."""
    if name not in arguments:
        raise InputError(
            f"The slot {{{name}}} has no argument.", advice=f"Give the tool an argument named {name!r}."
        )
    return arguments[name]


def _names(piece: str) -> Iterator[str]:
    """Yield the argument of each slot of a text, up to the first that is malformed."""
    try:
        for _literal, name, _spec, _conversion in string.Formatter().parse(piece):
            if name is not None:
                yield name.partition("[")[0].partition(".")[0]
    except ValueError:  # reported when it is filled
        return


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a text in order, each with whether it is a placeholder.

    Those between placeholders may be empty.
    """
    end = 0
    for placeholder in iter_placeholders(text):
        yield text[end : placeholder.start], False
        yield placeholder.text, True
        end = placeholder.end
    yield text[end:], False
