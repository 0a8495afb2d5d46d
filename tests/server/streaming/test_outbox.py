from __future__ import annotations

import asyncio
import time

from debugger.server.streaming.outbox import Outbox


def filled(outbox, *frames):
    """Put frames in from another thread, as a turn does."""
    return asyncio.to_thread(lambda: [outbox.put(frame) for frame in frames])


def test_frames_come_out_in_order():
    async def talk():
        outbox = Outbox()
        filling = asyncio.create_task(filled(outbox, "one", "two", "three"))
        seen = []
        for _ in range(3):
            seen.append(await outbox.next())
            outbox.sent()
        await filling
        await outbox.wait_until_sent()
        return seen

    assert asyncio.run(talk()) == ["one", "two", "three"]


def test_put_waits_for_room():
    async def talk():
        outbox = Outbox(limit=10, patience_seconds=30)
        filling = asyncio.create_task(filled(outbox, "a" * 10, "b"))
        await outbox.next()
        await asyncio.sleep(0.1)
        waited = not filling.done()
        outbox.sent()
        await filling
        return waited, await outbox.next()

    assert asyncio.run(talk()) == (True, "b")


def test_put_gives_up_on_slow_client():
    async def talk():
        outbox = Outbox(limit=10, patience_seconds=0.1)
        began = time.monotonic()
        await filled(outbox, *["a" * 10] * 1000)
        await asyncio.wait_for(outbox.overrun.wait(), 5)
        return time.monotonic() - began

    assert 0.1 <= asyncio.run(talk()) < 5


def test_frame_above_limit_is_sent():
    async def talk():
        outbox = Outbox(limit=10, patience_seconds=0.1)
        await filled(outbox, "a" * 100)
        return await outbox.next(), outbox.overrun.is_set()

    assert asyncio.run(talk()) == ("a" * 100, False)


def test_abandoned_outbox_drops_frames():
    async def talk():
        outbox = Outbox(limit=10, patience_seconds=30)
        filling = asyncio.create_task(filled(outbox, *["a" * 10] * 5))
        await outbox.next()
        outbox.abandon()
        await filling
        await outbox.wait_until_sent()
        outbox.sent()

    asyncio.run(asyncio.wait_for(talk(), 5))


def test_put_survives_closed_loop():
    async def made():
        return Outbox(limit=1)

    outbox = asyncio.run(made())

    outbox.put("one")
    outbox.put("two")
