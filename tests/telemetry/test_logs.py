from __future__ import annotations

import io
import json
import logging
import re
from contextlib import contextmanager, redirect_stderr
from contextvars import copy_context

import pytest

from debugger.boundary import release_line
from debugger.telemetry.context import begin_request, run_id
from debugger.telemetry.logs import configure_logs

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@contextmanager
def written(level, log_format, release=str):
    """The lines that are logged within."""
    configure_logs(level, log_format, release)
    lines: list[str] = []
    with redirect_stderr(io.StringIO()) as stream:
        yield lines
    lines += stream.getvalue().splitlines()


def log_in_run(*arguments, **options):
    def within():
        begin_request("r-1", "")
        run_id.set("run-9")
        logging.getLogger("debugger.engine").warning(*arguments, **options)

    copy_context().run(within)


def test_text_line_has_time_level_and_ids():
    with written("info", "text") as lines:
        log_in_run("turn %d", 3)

    (line,) = lines
    assert re.fullmatch(rf"{TIME} WARNING debugger\.engine: request_id=r-1 run_id=run-9 turn 3", line)


def test_text_line_escapes_control_characters():
    with written("info", "text") as lines:
        log_in_run("GET %s", "/a\n2026-11-29 CRITICAL forged \x1b[31m\u2028\x9b")

    (line,) = lines
    assert line.endswith(r"GET /a\n2026-11-29 CRITICAL forged \x1b[31m\u2028\x9b")


def test_text_traceback_escapes_what_commands_terminals():
    with written("info", "text") as lines:
        try:
            raise ValueError("red \x1b[31m")
        except ValueError:
            log_in_run("failed", exc_info=True)

    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == r"ValueError: red \x1b[31m"


def test_json_line_is_object():
    with written("info", "json") as lines:
        log_in_run('a "quoted"\nline')

    line = json.loads(lines[0])
    assert re.fullmatch(TIME, line.pop("time"))
    assert line == {
        "level": "warning",
        "logger": "debugger.engine",
        "request_id": "r-1",
        "run_id": "run-9",
        "message": 'a "quoted"\nline',
    }


def test_json_line_has_traceback():
    with written("info", "json") as lines:
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            log_in_run("broke", exc_info=True)

    assert json.loads(lines[0])["exception"].endswith("ZeroDivisionError")


@pytest.mark.parametrize(("level", "count"), [("debug", 3), ("info", 2), ("error", 0)])
def test_level_is_of_own_loggers(level, count):
    with written(level, "text") as lines:
        for name in ("debugger.x", "uvicorn.access"):
            logging.getLogger(name).info("line")
        logging.getLogger("debugger.x").debug("line")
        logging.getLogger("httpx").info("HTTP Request: GET https://host/?token=secret")

    assert len(lines) == count


def test_second_call_replaces_first():
    configure_logs("info", "text")
    with written("info", "text") as lines:
        logging.getLogger("debugger").info("once")

    assert len(lines) == 1


def test_json_is_valid_on_any_stream(monkeypatch):
    configure_logs("info", "json")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr("sys.stderr", stream)

    log_in_run("Grüße 😀")

    stream.flush()
    assert json.loads(stream.buffer.getvalue())["message"] == "Grüße 😀"


def test_json_is_valid_without_the_secrets_of_urls():
    with written("info", "json", release_line) as lines:
        try:
            raise ValueError('"https://host/?token=hush"')
        except ValueError:
            log_in_run("GET https://host/?token=hush", exc_info=True)

    line = json.loads(lines[0])
    assert line["message"] == "GET https://host/?token=***"
    assert line["exception"].endswith('ValueError: "https://host/?token=***"')


def test_text_has_no_secrets_of_urls():
    with written("info", "text", release_line) as lines:
        log_in_run("GET https://host/?token=hush\nforged")

    (line,) = lines
    assert line.endswith("GET https://host/?token=***")
