"""The client's clock is wrong, and only that of its code."""

from __future__ import annotations

import datetime
import time

from debugger.backends.hosted import http_errors
from tests.faults.clock import true_time, wrong_clock


def test_wrong_clock():
    with wrong_clock(-600):
        now = true_time()
        assert abs(time.time() + 600 - now) < 5
        assert abs(http_errors.datetime.now(datetime.UTC).timestamp() + 600 - now) < 5
        assert abs(datetime.datetime.now(datetime.UTC).timestamp() - now) < 5
        assert http_errors.datetime.fromtimestamp(0, datetime.UTC).year == 1970

    assert abs(time.time() - true_time()) < 5
    assert http_errors.datetime is datetime.datetime
