"""The functions of the platform that the embedded engine has (``platform.md#tool-types``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import model_validator

from debugger.engine.outbound import CallClass, OutboundCall
from debugger.engine.tools.base import Tool, ToolConfig, ToolContext, ToolResult
from debugger.engine.tools.sandbox.child.json_value import NotJsonError, to_json
from debugger.engine.tools.simulation import answer_or_default
from debugger.errors import RunError
from debugger.protocol.base import JsonObject

SEND_SMS = "communication_send_sms_"
"""What the names of the functions that send a message begin with; the rest says what they send with."""


@dataclass(frozen=True)
class BuiltinFunction:
    """A function of the platform."""

    description: str
    """What a model reads of it."""
    arguments: Mapping[str, JsonObject]
    """The JSON Schema of each."""
    call: Callable[[JsonObject, ToolContext], ToolResult]
    """Calls it with the arguments, which must have no `problem`."""
    required: tuple[str, ...] = ()
    complete: bool = True
    """Whether all its arguments are published; where not, any other is passed on."""

    @property
    def args_schema(self) -> JsonObject:
        """Return the JSON Schema of its arguments together."""
        return {"type": "object", "properties": dict(self.arguments), "required": list(self.required)}

    def takes(self, argument: str) -> bool:
        """Return whether it has such an argument."""
        return argument in self.arguments or not self.complete

    def problem(self, arguments: JsonObject) -> str | None:
        """Return the error in the arguments, missing ones before unknown ones; ``None`` without one.

        An empty text or null counts as missing.
        """
        missing = [name for name in self.required if arguments.get(name) in (None, "")]
        if missing:
            return f"It needs a value for {join_names(missing)}."
        unknown = [name for name in arguments if not self.takes(name)]
        return (
            f"It has no argument {join_names(unknown)}; it has {join_names(self.arguments)}."
            if unknown
            else None
        )


def find_builtin(name: str) -> BuiltinFunction | None:
    """Return the function of that name; ``None`` for the platform's others."""
    return _SMS if name.startswith(SEND_SMS) else BUILTINS.get(name)


def join_names(names: Iterable[str]) -> str:
    """Return names as a text for the user."""
    return ", ".join(repr(name) for name in names)


def _math_add(arguments: JsonObject, _: ToolContext) -> ToolResult:
    """Return the sum of ``a`` and ``b``, numbers or texts of numbers.

    It is a failure where one is no number, or the sum has no form in JSON.
    """
    try:
        total = to_json(_number(arguments["a"]) + _number(arguments["b"]), "the sum")
    except (ValueError, OverflowError, NotJsonError) as error:
        return ToolResult.failure(f"math_add has no sum: {str(error).rstrip('.')}.")
    return ToolResult(success=True, result=total)


def _number(value: Any) -> int | float:
    """Return a number, also where a template has made it a text.

    Raises:
        ValueError: It is none; true and false are none.

    Source: ``platform.md#tool-argument-types``.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
    raise ValueError(f"{str(value)[:50]!r} is not a number")


def _platform_call(
    kind: str, call_class: CallClass, target: str, made_up: JsonObject
) -> Callable[[JsonObject, ToolContext], ToolResult]:
    """Return a function that makes a call which only the platform can really do.

    Args:
        kind: The kind of the call in the ledger.
        call_class: What it does.
        target: Its target for the user; ``{name}`` stands for an argument.
        made_up: The simulated answer where none is recorded.
    """

    def call(arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Make the call through the gateway; an error is part of the result."""
        outcome = context.reach(
            OutboundCall(
                kind=kind,
                call_class=call_class,
                target=target.format_map(arguments),
                request=dict(arguments),
                simulate=lambda recorded: answer_or_default(recorded, made_up),
            )
        )
        return ToolResult(outcome.error is None, outcome.answer, outcome.error)

    return call


_SMS = BuiltinFunction(
    "Send a text message to a phone number.",
    {
        "message": {"type": "string", "description": "The text of the message."},
        "phone_number": {"type": "string", "description": "The number, with its country code."},
    },
    _platform_call("sms", "contact", "SMS to {phone_number}", {"status": "simulated"}),
    required=("message", "phone_number"),
)

BUILTINS: dict[str, BuiltinFunction] = {
    "math_add": BuiltinFunction(
        "Add two numbers.",
        {"a": {"type": "number"}, "b": {"type": "number"}},
        _math_add,
        required=("a", "b"),
    ),
    "call_forward": BuiltinFunction(
        "Forward the call to a person.",
        {"phone_number": {"type": "string", "description": "Where to, where the tool leaves it open."}},
        _platform_call("conversation", "contact", "call_forward", {"status": "simulated"}),
        complete=False,
    ),
    "web_search": BuiltinFunction(
        "Search the web.",
        {"query": {"type": "string", "description": "What to search for, in plain words."}},
        _platform_call("http", "read", "web_search", {"results": []}),
        required=("query",),
        complete=False,
    ),
}
"""Tools by name; `find_builtin` alone finds those that send a message: their names have any ending."""


class InbuiltFunctionConfig(ToolConfig):
    """The function to call (``platform.md#tool-types``)."""

    tool_id: str | None = None
    """The function's name in the platform's registry, or the id of a saved tool."""
    configurable_key: str | None = None
    extra_config: JsonObject | None = None
    """More settings for the platform, as the workflow to transfer a call to."""

    @property
    def function(self) -> BuiltinFunction | None:
        """Return the function; ``None`` where only the platform has it."""
        return find_builtin(self.function_name)

    @property
    def function_name(self) -> str:
        """Return the id if it names a function, else the name."""
        names = [name for name in (self.tool_id, self.name) if name]
        return next((name for name in names if find_builtin(name) is not None), names[-1] if names else "")

    @model_validator(mode="after")
    def _has_what_a_model_reads(self) -> Self:
        if self.function is not None:
            self.signature = self.signature or self.function.description
            self.args_schema = self.args_schema or self.function.args_schema
        return self


class InbuiltFunctionTool(Tool):
    """A call of a function that is built into the platform.

    ``math_add`` is computed here. A call to a person or a service goes through the gateway to the
    outside, and only the platform can really do it. The platform's other functions are not known here.

    Args:
        config: Which function.

    Raises:
        RunError: The workflow sets an argument that the function does not have (10.2).

    Source: ``platform.md#variable-arguments`` and ``platform.md#tool-types``.
    """

    Config = InbuiltFunctionConfig
    config: InbuiltFunctionConfig

    def __init__(self, config: InbuiltFunctionConfig) -> None:
        """Check that the function has each argument that the workflow sets.

        Raises:
            RunError: It does not have one of them.
        """
        super().__init__(config)
        function = config.function
        for bound in config.variable_arguments:
            if function is not None and not function.takes(bound.argument_name):
                raise RunError(
                    f"The tool {config.function_name!r} sets the argument {bound.argument_name!r}, which its "
                    f"function does not have; it has {join_names(function.arguments)}.",
                    advice="Correct the argument_name in the tool's variable_arguments.",
                )

    def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        """Call the function with keyword arguments; errors are part of the result.

        It fails for a function that only the platform has, and for arguments that it does not take.
        """
        function, name = self.config.function, self.config.function_name
        if function is None:
            known = join_names([*BUILTINS, SEND_SMS + "<suffix>"])
            return ToolResult.failure(
                f"The embedded engine does not have the built-in function {name!r}; it has {known}. "
                "The platform has about 23, which only the hosted API runs. Run the workflow there."
            )
        problem = function.problem(arguments)
        if problem is not None:
            return ToolResult.failure(f"The function {name!r} was not called. {problem}")
        return function.call(arguments, context)
