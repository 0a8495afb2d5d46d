from __future__ import annotations

from debugger.server.live.drivers import Drivers


def test_the_last_to_enter_drives():
    drivers = Drivers()
    one, other = object(), object()

    drivers.enter("run", one)
    drivers.enter("run", other)

    assert not drivers.drives("run", one)
    assert drivers.drives("run", other)


def test_whoever_leaves_drives_no_longer_and_takes_the_run_from_nobody_else():
    drivers = Drivers()
    one, other = object(), object()
    drivers.enter("run", one)
    drivers.enter("run", other)

    drivers.leave("run", one)
    assert drivers.drives("run", other)

    drivers.leave("run", other)
    assert not drivers.drives("run", other)
