"""Spans of OpenTelemetry, by the extra ``otel``.

They are off until `start_traces` finds an address to send them to; until then nothing of OpenTelemetry is
imported. A span has names and ids of the workflow, and no text of a conversation, value, URL or message.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from debugger.errors import SettingsError, extra_advice
from debugger.telemetry.context import TRACE_HEADER, trace_parent

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

Yielded = TypeVar("Yielded")
Returned = TypeVar("Returned")

_ADDRESSES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NOTHING: AbstractContextManager[None] = nullcontext()
_tracer: Tracer | None = None
_release: Callable[[str], str] = str


def start_traces(release: Callable[[str], str] = str) -> None:
    """Send spans over OTLP, if a variable of OpenTelemetry says where to.

    Nothing happens without one, and where ``OTEL_SDK_DISABLED`` is ``true``.

    Args:
        release: Returns what of a text may leave the process.

    Raises:
        SettingsError: It does, and the extra ``otel`` is not installed.
    """
    if not any(os.environ.get(name) for name in _ADDRESSES) or os.environ.get("OTEL_SDK_DISABLED") == "true":
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError(
            f"{_ADDRESSES[0]} is set, and OpenTelemetry is not installed.",
            advice=extra_advice("otel"),
        ) from error
    name = os.environ.get("OTEL_SERVICE_NAME", "workflow-debugger")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use_tracer(provider.get_tracer("debugger"), release)


def use_tracer(tracer: Tracer | None, release: Callable[[str], str] = str) -> None:
    """Make spans with a tracer; ``None`` makes none any more."""
    global _release, _tracer
    _tracer, _release = tracer, release


def span(name: str, **attributes: str | int | bool) -> AbstractContextManager[Span | None]:
    """Return a block that is a span, a child of the one around it; without a tracer it has ``None``."""
    return _NOTHING if _tracer is None else _span(_tracer, name, attributes)


def steps(
    name: str, generator: Generator[Yielded, Any, Returned], **attributes: str | int | bool
) -> Generator[Yielded, None, Returned]:
    """Return a generator whose work, from first to last step, is a span; without a tracer the same one."""
    return generator if _tracer is None else _steps(_tracer, name, generator, attributes)


@contextmanager
def request_span(method: str) -> Iterator[Span | None]:
    """Return a block that is the span of a request below `trace_parent`.

    Within, `trace_parent` names the new span. Without a tracer the block has ``None``, and nothing changes.
    """
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    around = TraceContextTextMapPropagator().extract({TRACE_HEADER: trace_parent.get()})
    with _span(_tracer, f"HTTP {method}", {"http.request.method": method}, around, SpanKind.SERVER) as own:
        yield own


@contextmanager
def _span(
    tracer: Tracer, name: str, attributes: dict[str, Any], around: Any = None, kind: Any = None
) -> Iterator[Span]:
    """Make a span that is current within the block, and end it with the block.

    Name and texts are released. An exception marks the span by its class, and leaves unchanged.
    """
    own = tracer.start_span(
        _release(name), around, attributes=_released(attributes), **({} if kind is None else {"kind": kind})
    )
    try:
        with _current(own):
            yield own
    finally:
        own.end()


def _steps(
    tracer: Tracer, name: str, generator: Generator[Yielded, Any, Returned], attributes: dict[str, Any]
) -> Generator[Yielded, None, Returned]:
    """Yield the steps of a generator within a span, and return its result.

    The span is current during each step, and not between two. Closing it closes the generator and ends the
    span; so does an exception of the generator, which marks the span.
    """
    own = tracer.start_span(_release(name), attributes=_released(attributes))
    try:
        while True:
            # Not over the `yield`: between two steps, whoever takes them may be within another span.
            with _current(own):
                try:
                    step = next(generator)
                except StopIteration as stop:
                    returned: Returned = stop.value
                    return returned
            yield step
    finally:
        generator.close()
        own.end()


def _released(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: _release(value) if isinstance(value, str) else value for name, value in attributes.items()}


@contextmanager
def _current(own: Span) -> Iterator[None]:
    """Make a span current; exceptions mark it by their class.

    Their messages could hold a secret.
    """
    from opentelemetry.trace import Status, StatusCode, use_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    with use_span(own, record_exception=False, set_status_on_exception=False):
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        token = trace_parent.set(carrier.get(TRACE_HEADER, ""))
        try:
            yield
        except Exception as error:
            own.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            trace_parent.reset(token)
