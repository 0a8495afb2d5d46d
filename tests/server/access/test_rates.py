from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debugger.server.access.rates import MINUTE, Rate


def test_what_is_too_much_for_one_is_not_too_much_for_another():
    rate = Rate(2, lambda: 0.0)

    assert [rate.wait("ada") for _ in range(2)] == [None, None]
    assert rate.wait("ada") is not None
    assert rate.wait("bo") is None


def test_nothing_is_too_much_where_there_is_no_limit():
    rate = Rate(0, lambda: 0.0)

    assert [rate.wait("ada") for _ in range(1000)] == [None] * 1000


def test_what_is_refused_does_not_count():
    now = [0.0]
    rate = Rate(2, lambda: now[0])
    for _ in range(50):
        rate.wait("ada")

    now[0] = 1.5 * MINUTE

    assert rate.wait("ada") is None


def test_the_turn_of_a_minute_does_not_let_twice_as_many_in():
    now = [0.99 * MINUTE]
    rate = Rate(100, lambda: now[0])
    before = sum(rate.wait("ada") is None for _ in range(200))

    now[0] = 1.01 * MINUTE
    after = sum(rate.wait("ada") is None for _ in range(200))

    assert (before, after) == (100, 1)


def test_what_was_done_two_minutes_ago_is_forgotten():
    now = [0.0]
    rate = Rate(2, lambda: now[0])
    for _ in range(2):
        rate.wait("ada")

    now[0] = 2 * MINUTE
    rate.wait("bo")

    assert "ada" not in rate._counts | rate._before


@given(
    most=st.integers(1, 5),
    steps=st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=40),
)
def test_whoever_waits_as_long_as_told_is_let_in_and_not_much_sooner(most, steps):
    now = [0.0]
    rate = Rate(most, lambda: now[0])

    for step in steps:
        now[0] += step
        wait = rate.wait("ada")
        if wait is not None:
            assert 0 < wait <= 2 * MINUTE
            now[0] += wait * 0.99
            assert rate.wait("ada") is not None
            now[0] += wait * 0.01 + 1e-6
            assert rate.wait("ada") is None


def test_of_too_many_at_an_even_pace_as_many_are_let_in_as_may():
    now = [0.0]
    rate = Rate(100, lambda: now[0])

    let_in = 0
    for tenth in range(6000):
        now[0] = tenth / 10
        let_in += rate.wait("ada") is None

    assert 900 <= let_in <= 1100
