from __future__ import annotations

import threading

from debugger.expressions.bounded_cache import BoundedCache


def test_cache_returns_what_was_put():
    cache = BoundedCache[str, int](1_000)

    cache.put("a", 1, 100)

    assert cache.get("a") == 1
    assert cache.get("b") is None


def test_cache_drops_oldest_beyond_its_bytes():
    cache = BoundedCache[int, int](1_000)

    for number in range(30):
        cache.put(number, number, 100)

    assert len(cache) == 10
    assert cache.used_bytes == 1_000
    assert cache.get(19) is None
    assert cache.get(20) == 20


def test_cache_holds_no_entry_of_large_share():
    cache = BoundedCache[str, int](1_000)
    cache.put("small", 1, 100)

    cache.put("large", 2, 126)

    assert cache.get("large") is None
    assert cache.get("small") == 1


def test_cache_keeps_first_of_two_puts():
    cache = BoundedCache[str, int](1_000)

    cache.put("a", 1, 100)
    cache.put("a", 2, 100)

    assert cache.get("a") == 1
    assert cache.used_bytes == 100


def test_cache_counts_right_under_threads():
    cache = BoundedCache[int, int](1_000)

    def fill(first):
        for number in range(first, first + 2_000):
            cache.put(number, number, 7 + number % 50)
            cache.get(number - 3)

    threads = [threading.Thread(target=fill, args=(first,)) for first in (0, 1_000, 2_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    held = [number for number in range(4_000) if cache.get(number) is not None]
    assert cache.used_bytes == sum(7 + number % 50 for number in held) <= 1_000
