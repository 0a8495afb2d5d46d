from __future__ import annotations

from contextlib import closing

import pytest

from debugger.backends import open_embedded
from debugger.errors import NotFoundError
from debugger.settings import Settings
from debugger.store import Store
from tests.store.test_hidden_runs import hidden_ago
from tests.store.test_retention import keep


def test_open_embedded_deletes_expired_runs(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", keep_deleted_days=7)
    with closing(Store(settings.database_url)) as store:
        old, young = keep(store, 20), keep(store, 20)
        hidden_ago(store, 8, old)
        hidden_ago(store, 6, young)

    with closing(open_embedded(settings)) as backend:
        with pytest.raises(NotFoundError):
            backend.run(old)
        assert backend.run(young).workflow_run_id == young
