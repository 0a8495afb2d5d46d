from __future__ import annotations

import uuid

from debugger.engine.world import World


def test_a_uuid_is_one_of_version_4_and_new_each_time():
    made = {World().uuid() for _ in range(200)}

    assert len(made) == 200
    assert all(uuid.UUID(text).version == 4 and uuid.UUID(text).variant == uuid.RFC_4122 for text in made)
