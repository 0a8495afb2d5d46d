from __future__ import annotations

from debugger.store.claims import ClaimedTurn
from debugger.store.lease_watch import LeaseWatch


def claimed(claim_id="c1", *, run_id="r1", lease_until=1000.0, lease_seconds=30.0):
    return ClaimedTurn(run_id, 2, claim_id, "another-boot/1/2/3", lease_until, lease_seconds, 2, 0, False)


def test_claim_is_unrenewed_after_its_length():
    watch = LeaseWatch()

    looks = [watch.find_unrenewed([claimed()], at, at + 1) for at in (0, 10, 30.9, 31)]

    assert looks == [set(), set(), set(), {"c1"}]


def test_time_of_a_look_does_not_count():
    watch = LeaseWatch()

    slow = watch.find_unrenewed([claimed()], 0, 50)  # renewed at 0.1 or at 49.9

    assert slow == watch.find_unrenewed([claimed()], 79, 79) == set()
    assert watch.find_unrenewed([claimed()], 80, 80) == {"c1"}


def test_renewal_begins_anew_even_with_an_earlier_time():
    watch = LeaseWatch()
    watch.find_unrenewed([claimed()], 0, 0)

    renewed = claimed(lease_until=400.0)  # the owner's clock was set back
    looks = [watch.find_unrenewed([renewed], at, at) for at in (31, 60, 61)]

    assert looks == [set(), set(), {"c1"}]


def test_next_claim_of_a_run_begins_anew():
    watch = LeaseWatch()
    watch.find_unrenewed([claimed("c1")], 0, 0)

    assert watch.find_unrenewed([claimed("c2")], 31, 31) == set()


def test_ended_lease_is_unrenewed_at_first_look():
    assert LeaseWatch().find_unrenewed([claimed(lease_seconds=0.0)], 5, 6) == {"c1"}


def test_look_at_one_run_keeps_the_others():
    watch = LeaseWatch()
    other = claimed("c2", run_id="r2")
    watch.find_unrenewed([claimed(), other], 0, 0)
    watch.find_unrenewed([], 1, 1, run_id="r1")  # its turn has ended

    looks = watch.find_unrenewed([claimed(), other], 31, 31)

    assert looks == {"c2"}


def test_ended_turns_are_forgotten():
    watch = LeaseWatch()
    watch.find_unrenewed([claimed(str(number), run_id=str(number)) for number in range(9)], 0, 0)
    watch.find_unrenewed([], 1, 1, run_id="3")
    first = len(watch._sights)

    watch.find_unrenewed([claimed()], 2, 2)

    assert (first, len(watch._sights)) == (8, 1)
