"""Random order finds no doubled, lost or hidden turn."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.servers import started
from tests.faults.session_machine import make_machine

SERVERS = ("ours", "stranger_with_ids")
STEPS = 24
SECONDS = 600.0
"""Of a campaign on each server."""


def run_machine(name, folder, machines, number):
    """Run some machines on a server.

    Args:
        name: Of the server.
        folder: Where its files go.
        machines: How many.
        number: The seed.
    """
    with started(name, folder) as server:
        server.acknowledge("each")
        run_state_machine_as_test(
            seed(number)(make_machine(name, server)),
            settings=settings(
                max_examples=machines,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                phases=[Phase.generate],  # each shrink would need its own server and its own time
                suppress_health_check=list(HealthCheck),
                verbosity=Verbosity.quiet,
            ),
        )


@pytest.mark.parametrize("name", SERVERS)
def test_random_order(name, tmp_path):
    run_machine(name, tmp_path, machines=6, number=2026)


@pytest.mark.campaign
@pytest.mark.parametrize("name", SERVERS)
def test_random_order_for_long(name, tmp_path):
    first = int(os.environ.get("MACHINE_SEED", time.time()))
    ends, number = time.monotonic() + SECONDS, first
    while time.monotonic() < ends:
        place = tmp_path / str(number)
        place.mkdir()
        print(f"{name}, seed {number}", flush=True)
        run_machine(name, place, machines=20, number=number)
        number += 1
