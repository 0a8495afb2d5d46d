from __future__ import annotations

import uuid

from debugger.engine.world import World


def test_a_uuid_is_one_and_new_each_time_in_every_world():
    worlds = World(), World()
    made = [world.uuid() for world in worlds for _ in range(200)]

    assert len(set(made)) == 400
    assert all(uuid.UUID(text).version == 4 and uuid.UUID(text).variant == uuid.RFC_4122 for text in made)


def test_a_random_uuid_does_not_follow_from_the_one_before():
    world = World()

    assert world.random_uuid().hex[:8] != world.random_uuid().hex[:8]
