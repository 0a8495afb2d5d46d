from __future__ import annotations

import uuid

from debugger.engine.environment import Environment, SeededEnvironment


def test_uuid_is_unique_in_every_environment():
    worlds = Environment(), Environment()
    made = [world.uuid() for world in worlds for _ in range(200)]

    assert len(set(made)) == 400
    assert all(uuid.UUID(text).version == 4 and uuid.UUID(text).variant == uuid.RFC_4122 for text in made)


def test_random_uuid_is_unpredictable():
    world = Environment()

    assert world.random_uuid().hex[:8] != world.random_uuid().hex[:8]


def test_seeded_draws_repeat_and_differ():
    one, again, other = (
        SeededEnvironment(Environment(), 7),
        SeededEnvironment(Environment(), 7),
        SeededEnvironment(Environment(), 8),
    )

    draws = [one.draw(), one.draw()]

    assert draws == [again.draw(), again.draw()]
    assert len({*draws, other.draw()}) == 3
    assert one.random.random() == again.random.random()


def test_seeded_environment_shares_uuids():
    world = Environment()

    assert len({world.uuid(), SeededEnvironment(world, 7).uuid(), SeededEnvironment(world, 7).uuid()}) == 3
