from __future__ import annotations

import logging

import pytest

from debugger.boundary import release_address
from debugger.server.log_redaction import RepeatFilter, redact_uvicorn_log


@pytest.mark.parametrize(
    "address, told",
    [
        ("/v1/workflow-runs/ws?token=abc", "/v1/workflow-runs/ws?token=***"),
        ("/v1/workflow-runs/ws?a=1&token=abc&b=2", "/v1/workflow-runs/ws?a=1&token=***&b=2"),
        ("/runs/1/turns/0/rerun-token/abc", "/runs/1/turns/0/rerun-token/***"),
        ("/runs/1/turns/0/rerun-token/abc?x=1", "/runs/1/turns/0/rerun-token/***?x=1"),
        ("/runs/1/turns/0/rerun-token", "/runs/1/turns/0/rerun-token"),
    ],
)
def test_an_address_is_shown_without_its_tokens(address, told):
    assert release_address(address) == told


@pytest.mark.parametrize("name", ["uvicorn.access", "uvicorn.error"])
def test_a_line_of_uvicorns_shows_no_token(caplog, name):
    redact_uvicorn_log()

    with caplog.at_level(logging.INFO, logger=name):
        logging.getLogger(name).info('%s - "%s %s" %d', "1.2.3.4", "GET", "/x/rerun-token/abc", 200)

    assert caplog.messages == ['1.2.3.4 - "GET /x/rerun-token/***" 200']


def test_left_out_messages_are_counted(caplog):
    now = 0.0
    repeats = RepeatFilter(now=lambda: now)
    logger = logging.getLogger("debugger.flood")
    caplog.handler.addFilter(repeats)
    try:
        for number in range(25):
            logger.warning("try %d", number)
        repeats.report()
        assert len(caplog.messages) == 10

        now = 61.0
        repeats.report()
        logger.warning("another")
    finally:
        caplog.handler.removeFilter(repeats)

    assert caplog.messages[10:] == [
        "15 more messages like this one were left out in the last minute: try 0",
        "another",
    ]


def test_the_access_log_is_complete(caplog):
    repeats = RepeatFilter()
    caplog.handler.addFilter(repeats)
    try:
        with caplog.at_level(logging.INFO, logger="uvicorn.access"):
            for number in range(25):
                logging.getLogger("uvicorn.access").info("%d", number)
    finally:
        caplog.handler.removeFilter(repeats)

    assert len(caplog.messages) == 25
