from __future__ import annotations

import logging

import pytest

from debugger.server.quiet_log import keep_secrets_out_of_the_log, shown


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
    assert shown(address) == told


@pytest.mark.parametrize("name", ["uvicorn.access", "uvicorn.error"])
def test_a_line_of_uvicorns_shows_no_token(caplog, name):
    keep_secrets_out_of_the_log()

    with caplog.at_level(logging.INFO, logger=name):
        logging.getLogger(name).info('%s - "%s %s" %d', "1.2.3.4", "GET", "/x/rerun-token/abc", 200)

    assert caplog.messages == ['1.2.3.4 - "GET /x/rerun-token/***" 200']
