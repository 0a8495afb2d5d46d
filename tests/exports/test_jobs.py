from __future__ import annotations

import threading

import pytest

from debugger.errors import StoreError
from debugger.exports.jobs import ExportJob
from tests.exports.test_formats import PLAIN, run_of
from tests.support.exports import written


def a_job(read, total=1):
    return ExportJob(read, total, PLAIN, "runs.csv")


def test_job_writes_the_same_file():
    job = a_job(lambda: iter([run_of("Hi")]))

    job.start()

    assert job.wait(10)
    assert (job.state, job.progress.runs) == ("done", 1)
    assert job.read(0, job.size) == written([run_of("Hi")], PLAIN)
    assert job.read(0, 3) + job.read(3, 1000) == job.read(0, 1003)
    job.close()
    assert job.read(0, 10) == b""


def test_job_is_cancelled_half_way():
    half, go = threading.Event(), threading.Event()

    def runs():
        for number in range(1000):
            if number == 500:
                half.set()
                assert go.wait(10)
            yield run_of("Hi", run_id=f"{number:024x}")

    job = a_job(runs, 1000)
    job.start()
    assert half.wait(30)
    seen = job.progress.runs
    job.cancel()
    go.set()

    assert job.wait(10)
    assert (job.state, seen, job.progress.runs) == ("cancelled", 500, 500)
    assert job.read(0, 10) == b""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreError("The store is gone."), "The store is gone."),
        (OSError(28, "No space left"), "The file cannot be written: No space left. Is the disk full?"),
        (KeyError("x"), "The export was interrupted (KeyError). The page's log says more."),
    ],
)
def test_failed_job_says_why(error, words):
    def runs():
        raise error
        yield

    job = a_job(runs)
    job.start()

    assert job.wait(10)
    assert (job.state, str(job.error)) == ("failed", words)
    assert job.read(0, 10) == b""
