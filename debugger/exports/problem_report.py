"""Problem report: a masked text on a failure, for the app's maintainers.

It has versions, settings, the failure and log lines. No value of a variable, no message and no key is in it:
texts pass `ReportMasker`, and of exceptions that the product did not raise only class and place are written.
"""

from __future__ import annotations

import platform
import re
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from debugger.boundary import Boundary, Kind, MaskingOptions
from debugger.boundary.process_secrets import secrets_of_process
from debugger.boundary.rules import texts_in
from debugger.engine.outbound.masking import find_literal_secrets
from debugger.engine.tools.sandbox import python_status
from debugger.errors import DebuggerError, ExpressionError, InputJsonError, ServerError
from debugger.exports.file_text import without_controls
from debugger.settings import Settings, environment_variables, unknown_settings

_PACKAGES = ("workflow-debugger", "streamlit", "pydantic", "sqlalchemy", "httpx")
_PUBLIC_TEXTS = frozenset({"time_zone", "display_time_zone", "prices"})
"""Settings of any text that are written; of the others the report says that they are set."""
_QUOTED = re.compile(r"(?<!\w)'(?:[^'\\\n]|\\.)*'(?!\w)|\"(?:[^\"\\\n]|\\.)*\"|“[^”\n]*”|‘[^’\n]*’")
"""A quotation; the apostrophe in a word begins none."""
_ID = re.compile(r"[0-9a-f]{24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id of a run or a workflow."""
_HIDDEN = "[hidden]"
_MAX_FRAMES = 12
_MAX_CAUSES = 5


@dataclass(frozen=True)
class Failure:
    """A failed action."""

    action: str
    """The name of the command, such as ``send``, or of the part that was drawn."""
    error: BaseException


class ReportMasker:
    """Masks the texts of a report.

    Masked are the secrets of the environment, the user and the secret parameters of URLs, personal data by
    the rules of exports, the values, and all that is quoted, except for ids and names of the workflow.

    Args:
        settings: The settings, for the password of the database.
        keys: Keys that were entered.
        values: JSON values of variables, and messages.
        names: Names and ids that may be quoted.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Iterable[str] = (),
        values: Iterable[Any] = (),
        names: Collection[str] = (),
    ) -> None:
        """Find the secrets of settings and process, and the texts of the values, once."""
        self._secrets = find_literal_secrets(settings.database, {}, [*secrets_of_process(settings), *keys])
        self._boundary = Boundary(MaskingOptions(variables=("value",)))
        self._boundary.begin_run(names)
        self._values = {text for value in values for text in texts_in(value) if text}
        self._names = frozenset(names)

    def mask(self, texts: Sequence[str]) -> list[str]:
        """Return texts without secrets, personal data, values and quotations, in the same order.

        A value is found, too, that goes over several texts.
        """
        whole = "\n".join(texts)
        for value in self._values:  # a run can have more and longer ones than a pattern of all could hold
            if value in whole:
                self._boundary.register("value", value)
        release = self._boundary.release
        shown = (release(Kind.ADDRESS, self._secrets.mask(text)) for text in texts)
        masked = (release(Kind.TEXT, text) for text in shown)
        return [_QUOTED.sub(self._quoted, text) for text in masked]

    def _quoted(self, found: re.Match[str]) -> str:
        text = found[0]
        is_name = text[1:-1] in self._names or _ID.fullmatch(text[1:-1])
        return text if is_name else f"{text[0]}{_HIDDEN}{text[-1]}"


def problem_report(
    failure: Failure | None,
    settings: Settings,
    masker: ReportMasker,
    *,
    facts: Mapping[str, object] | None = None,
    log: Iterable[str] = (),
) -> str:
    """Return the report as a text without control characters; the log is in it only beside a failure.

    Args:
        failure: The failure; ``None`` for a report on the program alone.
        settings: The settings in effect.
        masker: Masks the error and the log.
        facts: Ids, versions and kinds of the run on view, which are written as they are.
        log: The log lines, the oldest first.
    """
    parts = ["Problem report of Workflow Debugger", ""]
    if failure is not None:
        parts += [*_failure_lines(failure, masker), ""]
    if facts:
        parts += ["Run", *_listed(facts.items()), ""]
    parts += ["Versions", *_listed(_versions(settings)), ""]
    parts += ["Settings", *_listed(_settings(settings)), *unknown_settings(environment_variables()), ""]
    lines = masker.mask(list(log))
    parts += [f"Last log lines of this browser tab ({len(lines)})", *lines] if failure is not None else []
    return without_controls("\n".join(parts).rstrip() + "\n")


def exception_places(error: BaseException) -> Iterator[str]:
    """Yield class and last places of an exception and its causes, at most `_MAX_CAUSES` of them.

    Their texts are left out: a library's text can repeat values, as of a failed statement.
    """
    cause: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if cause is None:
            return
        yield f"{type(cause).__module__}.{type(cause).__qualname__}"
        for frame in traceback.extract_tb(cause.__traceback__)[-_MAX_FRAMES:]:
            yield f"  {_short_path(frame.filename)}:{frame.lineno} in {frame.name}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _failure_lines(failure: Failure, masker: ReportMasker) -> Iterator[str]:
    """Yield the lines on a failure: action, class, text of the product's own errors, and places in the code.

    Of such an error the first line of the message and the advice are masked; another exception has no text. A
    place in an expression or input and a masked request id follow where the error has one.
    """
    error = failure.error
    yield f"Failed action: {failure.action}"
    yield f"Error: {type(error).__name__}"
    if isinstance(error, DebuggerError):
        sentence = error.message.partition("\n")[0]  # an excerpt follows, of a text that may hold values
        yield f"Text: {masker.mask([f'{sentence} {error.advice}'.rstrip()])[0]}"
    if isinstance(error, ExpressionError):
        yield f"Place: column {error.column}"
    if isinstance(error, InputJsonError):
        yield f"Place: line {error.line}, column {error.column}"
    if isinstance(error, ServerError) and error.request_id:
        yield f"Request id: {masker.mask([error.request_id])[0]}"
    yield from exception_places(error)


def _versions(settings: Settings) -> Iterator[tuple[str, object]]:
    """Yield names and versions of packages, Python, system, database and sandbox of inline Python."""
    for name in _PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:  # the checkout is run without being installed
            yield name, "not installed"
    yield "Python", f"{platform.python_implementation()} {platform.python_version()}"
    yield "Operating system", platform.platform()
    yield "Database", settings.database_url.partition(":")[0].partition("+")[0]
    yield "Inline Python", python_status(settings.inline_python).description


def _settings(settings: Settings) -> Iterator[tuple[str, object]]:
    """Yield names and values of the settings; of secrets and most texts only whether they are set."""
    for prefix, model in (("", settings), ("hosted.", settings.hosted)):
        for name, field in type(model).model_fields.items():
            value = getattr(model, name)
            if isinstance(value, SecretStr):
                value = "set" if value.get_secret_value() else "not set"
            elif value in (None, ""):
                value = "not set"
            elif field.annotation is str and name not in _PUBLIC_TEXTS:
                value = "set"
            if not isinstance(value, BaseModel):
                yield f"{prefix}{name}", value


def _listed(facts: Iterable[tuple[str, object]]) -> list[str]:
    return [f"{name}: {value}" for name, value in facts]


def _short_path(path: str) -> str:
    """Return the path below the folder of packages or of the program, else the file's name."""
    parts = Path(path).parts
    for top in ("site-packages", "debugger"):
        if top in parts:
            start = len(parts) - parts[::-1].index(top) - (top == "debugger")
            return "/".join(parts[start:])
    return parts[-1] if parts else path
