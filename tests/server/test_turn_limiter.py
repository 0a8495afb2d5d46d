from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.server.turn_limiter import QueueFullError, TurnLimiter
from debugger.settings import Settings
from debugger.store import Role
from tests.conformance.graphs import direct, graph, http, static
from tests.conformance.served import create, execute, spoken
from tests.support.http_server import HttpServer
from tests.support.server_metrics import counted
from tests.support.server_sockets import opened

FASTAPI_THREADS = 40
WAIT = 30


@pytest.fixture
def service():
    """A service that lets every caller wait: its URL, a count of callers, and what ends the wait."""
    called, may_go = threading.Semaphore(0), threading.Event()

    def hold(handler):
        called.release()
        may_go.wait(WAIT)
        handler.send_json({})

    with HttpServer(hold=hold) as server:
        yield f"{server.url}/hold", called, may_go
        may_go.set()


def waiting_workflow(api, url):
    return create(api, graph(http("call", url), static("done", "Done"), direct("call", "done")))


@pytest.fixture
def two_keys(serve, tmp_path):
    """Clients of two keys on a server that executes eight turns at once, two of each key; four may wait."""
    settings = Settings(database=f"sqlite:///{tmp_path}/keys.sqlite3")
    with closing(EmbeddedBackend(settings)) as backend:
        clients = []
        for name in ("Ada", "Bo"):
            _, key = backend.store.api_keys.add(name, Role.ADMIN)
            client = serve(backend, turns=TurnLimiter(8, 0, max_waiting=4)) if not clients else clients[0]
            clients.append(type(client)(base_url=client.base_url, trust_env=False, timeout=WAIT))
            clients[-1].headers["Authorization"] = f"Bearer {key}"
        yield clients
        for client in clients:
            client.close()


def test_slow_turns_leave_threads_to_reading_routes(serve, tmp_path, service):
    url, called, may_go = service
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/reads.sqlite3"))
    api = serve(backend, turns=TurnLimiter(FASTAPI_THREADS + 8))
    workflow_id = waiting_workflow(api, url)
    with ThreadPoolExecutor(FASTAPI_THREADS + 1) as clients:
        answers = [clients.submit(execute, api, workflow_id) for _ in range(FASTAPI_THREADS + 1)]
        for _ in answers:
            assert called.acquire(timeout=WAIT)

        assert api.get("/v1/workflows").status_code == 200

        may_go.set()
        assert {spoken(answer.result().json())[0] for answer in answers} == {"Done"}
    backend.close()


def test_key_has_quarter_of_threads(two_keys, service):
    (ada, bo), (url, called, may_go) = two_keys, service
    slow, quick = waiting_workflow(ada, url), create(ada, graph(static("hi", "Hi")))
    with ThreadPoolExecutor() as clients:
        answers = [clients.submit(execute, ada, slow) for _ in range(5)]
        assert called.acquire(timeout=WAIT) and called.acquire(timeout=WAIT)

        assert execute(bo, quick).status_code == 200
        assert not called.acquire(timeout=0.1)

        may_go.set()
        assert {answer.result().status_code for answer in answers} == {200}


def test_excess_turn_is_refused_over_both_channels(two_keys, service):
    (ada, _), (url, called, may_go) = two_keys, service
    slow = waiting_workflow(ada, url)
    shown = {"Authorization": ada.headers["Authorization"]}
    with ThreadPoolExecutor(8) as clients:
        answers = [clients.submit(execute, ada, slow) for _ in range(8)]
        assert called.acquire(timeout=WAIT) and called.acquire(timeout=WAIT)
        while counted(ada, "debugger_turns_total", status="refused") < 2:  # two run, four wait
            pass

        with opened(ada, additional_headers=shown) as socket:
            socket.send(workflow_id=slow)
            closed = socket.closed()

        may_go.set()
        results = [answer.result() for answer in answers]
    refused = [result for result in results if result.status_code == 429]
    assert closed[0] == 4429
    assert len(refused) == 2
    assert refused[0].headers["Retry-After"] == "5"
    assert "4 turns of this key are waiting" in refused[0].json()["detail"]


def test_socket_turns_count_for_their_key(two_keys, service):
    (ada, _), (url, called, may_go) = two_keys, service
    slow = waiting_workflow(ada, url)
    shown = {"Authorization": ada.headers["Authorization"]}
    with opened(ada, additional_headers=shown) as one, opened(ada, additional_headers=shown) as two:
        for socket in (one, two):
            socket.send(workflow_id=slow)
            assert called.acquire(timeout=WAIT)
        with ThreadPoolExecutor(1) as clients:
            third = clients.submit(execute, ada, slow)

            assert not called.acquire(timeout=0.2)

            may_go.set()
            assert third.result().status_code == 200
        for socket in (one, two):
            socket.until_ended()


def test_stop_overtakes_turns_of_its_key(two_keys, service):
    (ada, _), (url, called, may_go) = two_keys, service
    slow = waiting_workflow(ada, url)
    with ThreadPoolExecutor() as clients:
        answers = [clients.submit(execute, ada, slow) for _ in range(4)]
        assert called.acquire(timeout=WAIT) and called.acquire(timeout=WAIT)
        rows = ada.get("/v1/workflow-runs", params={"workflow_id": slow}).json()["workflow_runs"]
        run_id = rows[0]["workflow_run"]["workflow_run_id"]

        stopped = execute(ada, slow, run_id=run_id, command="stop")

        may_go.set()
        assert stopped.json()["status"] == "cancelled"
        for answer in answers:
            answer.result()


def test_stop_beside_run_input_overtakes_nothing(two_keys, service):
    (ada, _), (url, called, may_go) = two_keys, service
    body = {"workflow_id": waiting_workflow(ada, url), "command": "start", "run_input": {"command": "stop"}}
    with ThreadPoolExecutor() as clients:
        answers = [clients.submit(ada.post, "/v1/workflow-runs", json=body) for _ in range(4)]
        assert called.acquire(timeout=WAIT) and called.acquire(timeout=WAIT)
        more = [clients.submit(execute, ada, body["workflow_id"]) for _ in range(2)]

        overtook = called.acquire(timeout=0.5)

        may_go.set()
        assert not overtook
        for answer in (*answers, *more):
            assert answer.result().status_code == 200


def test_turns_of_a_key_keep_their_order():
    order = []

    async def play():
        limiter = TurnLimiter(4, 1)
        await asyncio.gather(*(limiter.run("key", lambda n=number: order.append(n)) for number in range(20)))

    asyncio.run(play())

    assert order == list(range(20))


def test_without_keys_all_threads_are_used():
    together = threading.Barrier(4)

    async def play():
        limiter = TurnLimiter(4)
        return await asyncio.gather(*(limiter.run(None, lambda: together.wait(WAIT)) for _ in range(4)))

    assert sorted(asyncio.run(play())) == list(range(4))


def test_cancelled_turn_frees_its_place():
    may_end = threading.Event()

    async def play():
        limiter = TurnLimiter(4, 1, max_waiting=1)
        first = asyncio.create_task(limiter.run("key", may_end.wait))
        await asyncio.sleep(0)
        second = asyncio.create_task(limiter.run("key", may_end.wait))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await limiter.run("key", may_end.wait)
        second.cancel()
        await asyncio.wait((second,))
        third = asyncio.create_task(limiter.run("key", lambda: "third"))
        await asyncio.sleep(0)
        may_end.set()
        await first
        return await third

    assert asyncio.run(play()) == "third"


def test_error_reaches_caller_and_frees_thread():
    def fail():
        raise ValueError("out of order")

    async def play():
        limiter = TurnLimiter(1)
        turns = (limiter.run("key", fail), limiter.run("key", lambda: "fine"))
        return await asyncio.gather(*turns, return_exceptions=True)

    failed, fine = asyncio.run(play())

    assert isinstance(failed, ValueError) and fine == "fine"
