from __future__ import annotations

from debugger.views.auth.login_page import MAX_ADDRESSES, MAX_WRONG_KEYS, WrongKeys


def test_wrong_keys_of_minute_are_limited_by_address():
    now = [0.0]
    wrong = WrongKeys(clock=lambda: now[0])

    assert [wrong.count("10.0.0.1") for _ in range(MAX_WRONG_KEYS)] == [0] * MAX_WRONG_KEYS
    now[0] = 15
    assert wrong.count("10.0.0.1") == 45
    assert wrong.count("10.0.0.2") == 0
    now[0] = 60
    assert wrong.count("10.0.0.1") == 0


def test_addresses_are_bounded():
    wrong = WrongKeys(clock=lambda: 0.0)
    for number in range(MAX_ADDRESSES + 5):
        wrong.count(str(number))

    assert len(wrong._times) == MAX_ADDRESSES
