from __future__ import annotations

import uuid

from debugger.engine.environment import Environment, SeededEnvironment


def test_a_uuid_is_one_and_new_each_time_in_every_world():
    worlds = Environment(), Environment()
    made = [world.uuid() for world in worlds for _ in range(200)]

    assert len(set(made)) == 400
    assert all(uuid.UUID(text).version == 4 and uuid.UUID(text).variant == uuid.RFC_4122 for text in made)


def test_a_random_uuid_does_not_follow_from_the_one_before():
    world = Environment()

    assert world.random_uuid().hex[:8] != world.random_uuid().hex[:8]


def test_chance_of_a_seed_is_the_same_again_and_each_draw_another():
    one, again, other = (
        SeededEnvironment(Environment(), 7),
        SeededEnvironment(Environment(), 7),
        SeededEnvironment(Environment(), 8),
    )

    draws = [one.draw(), one.draw()]

    assert draws == [again.draw(), again.draw()]
    assert len({*draws, other.draw()}) == 3
    assert one.random.random() == again.random.random()


def test_a_seeded_world_takes_its_uuids_from_the_one_that_it_was_made_of():
    world = Environment()

    assert len({world.uuid(), SeededEnvironment(world, 7).uuid(), SeededEnvironment(world, 7).uuid()}) == 3
