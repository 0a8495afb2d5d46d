from __future__ import annotations

import time
from contextlib import closing

from debugger.store import Store


def test_ended_login_is_known_to_every_store(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.sqlite3"
    with closing(Store(url)) as one, closing(Store(url)) as other:
        one.ended_logins.add("a" * 64, time.time() + 60)
        one.ended_logins.add("a" * 64, time.time() + 60)

        assert other.ended_logins.digests() == {"a" * 64}


def test_expired_login_is_forgotten(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        store.ended_logins.add("a" * 64, time.time() - 1)
        store.ended_logins.add("b" * 64, time.time() + 60)

        assert store.ended_logins.digests() == {"b" * 64}
