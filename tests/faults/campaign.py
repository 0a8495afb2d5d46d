"""Seeded conversations through the fault proxy, and what became of them."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from random import Random

import httpx

from debugger.backends.hosted import HostedBackend
from debugger.settings import HostedSettings
from tests.conformance.graphs import chat, direct, graph, http, static
from tests.conformance.served import KEY, create, serving
from tests.faults.other_client import OtherClient
from tests.faults.page import Page
from tests.faults.plan import NOTHING, draw
from tests.faults.proxy import fault_proxy
from tests.faults.tally import tally
from tests.faults.user import Conversation, User
from tests.support.http_server import HttpServer

SHORTEST, LONGEST = 8, 12
"""Turns of a run."""
_COLUMNS = (
    "turns",
    "struck",
    "arrived",
    "offered again",
    "cannot tell",
    "sent again",
    "discarded",
    "newer turns",
    "run over",
    "abandoned",
)


@dataclass(frozen=True)
class Terms:
    """Parameters of a campaign."""

    channel: str
    """``rest`` or ``socket``."""
    turns: int
    seed: str
    timing: object
    struck: float = 0.5
    """The share of turns that something strikes."""
    workers: int = 4
    module: str = "debugger"
    """What serves."""


class Outcomes:
    """Results as users saw them, by the strike of the turn."""

    def __init__(self):
        self._counts = defaultdict(Counter)
        self._slowest = defaultdict(float)
        self._lock = threading.Lock()

    def note(self, name, is_struck, happened, seconds):
        """Count what the user saw of one turn."""
        with self._lock:
            self._slowest[name] = max(self._slowest[name], seconds)
            self._counts[name].update(["turns", *(["struck"] if is_struck else []), *happened])

    def total(self, column):
        """Return how often something happened, whatever struck the turn."""
        return sum(counts[column] for counts in self._counts.values())

    def table(self):
        """Return the summary as text."""
        width = max(map(len, [*self._counts, "what strikes the turn"]))
        lines = [" ".join([f"{'what strikes the turn':{width}}", *_COLUMNS, "slowest"])]
        rows = [*sorted(self._counts.items()), ("total", {name: self.total(name) for name in _COLUMNS})]
        for name, counts in rows:
            cells = (f"{counts[column] or '-':>{len(column)}}" for column in _COLUMNS)
            slowest = self._slowest.get(name) or max(self._slowest.values(), default=0)
            lines.append(" ".join([f"{name:{width}}", *cells, f"{slowest:5.1f} s"]))
        return "\n".join(lines)


def run_campaign(terms, database, folder):
    """Run all conversations; return the failures and the outcomes."""
    with HttpServer(count=lambda to: to.send_json({})) as counter:
        with serving(
            database,
            folder,
            module=terms.module,
            WORKFLOW_DEBUGGER_RESPONDER="rules",
        ) as api:
            campaign = _Campaign(terms, api, create(api, counting_workflow(counter.url)))
            conversations = campaign.run()
        return tally(database, conversations, counter.received), campaign.outcomes


class _Campaign:
    def __init__(self, terms, api, workflow_id):
        self.outcomes = Outcomes()
        self._terms = terms
        self._api = api
        self._workflow_id = workflow_id
        self._lock = threading.Lock()
        self._runs = 0
        self._planned = 0
        """Turns of the runs that have ended, and as many of those that are under way as they may have."""

    def run(self):
        """Run the conversations concurrently, each worker through its own proxy."""
        with ThreadPoolExecutor(self._terms.workers) as threads:
            done = [threads.submit(self._work) for _ in range(self._terms.workers)]
            return [talk for worker in done for talk in worker.result()]

    def _work(self):
        found = []
        with fault_proxy(self._api.base_url.port) as proxy, self._direct() as http_client:
            other_client = OtherClient(http_client, self._workflow_id)
            while (number := self._next_run()) is not None:
                found.append(self._converse(proxy, other_client, number))
        return found

    def _next_run(self):
        """Return the next run's number; ``None`` once there are enough turns."""
        with self._lock:
            if self._planned >= self._terms.turns:
                return None
            self._runs += 1
            self._planned += LONGEST
            return self._runs

    def _direct(self):
        return httpx.Client(
            base_url=self._api.base_url, headers=self._api.headers, trust_env=False, timeout=60, verify=False
        )

    def _converse(self, proxy, other_client, number):
        terms = self._terms
        rng = Random(f"{terms.seed} {terms.channel} {number}")
        talk = Conversation(f"run {number}")
        length = rng.randint(SHORTEST, LONGEST)
        with closing(self._backend(proxy)) as backend:
            page = Page(backend, self._workflow_id)
            user = User(page, rng, talk, proxy.wait_until_listening)
            for turn in range(1, length + 1):
                strike = _strike(rng, terms, is_first=page.run_id is None)
                known = len(proxy.applied)
                start = time.monotonic()
                with other_client.acting(strike, proxy, page.run_id, f"other {number} {turn}") as acted:
                    proxy.arm(*strike.faults)
                    happened = user.say(f"run {number} turn {turn}")
                    proxy.disarm()
                seconds = time.monotonic() - start
                proxy.wait_until_listening()
                is_struck = acted.is_set() or len(proxy.applied) > known
                self.outcomes.note(strike.name, is_struck, happened, seconds)
                talk.is_deleted = acted.is_set() and strike.action == "delete"
                if page.is_over or (acted.is_set() and strike.action in ("stop", "delete")):
                    break
            if not talk.is_deleted and page.run_id is not None:
                page.look()
                if page.has_newer_turns:
                    page.load_newer_turns()
            talk.run_id, talk.view = page.run_id, page.turns
        with self._lock:
            self._planned -= LONGEST - turn
        return talk

    def _backend(self, proxy):
        timing = self._terms.timing
        settings = HostedSettings(
            base_url=f"{proxy.url}/workflows",
            api_key=KEY,
            timeout=timing.timeout,
            connect_timeout=timing.connect_timeout,
            reconciliation_timeout=timing.reconciliation_timeout,
            live_events="off" if self._terms.channel == "rest" else "auto",
        )
        return HostedBackend(settings)


def _strike(rng, terms, *, is_first):
    """Return a turn's strike.

    Another client can do nothing before the run is known.
    """
    if rng.random() >= terms.struck:
        return NOTHING
    while True:
        strike = draw(rng, terms.channel, terms.timing)
        if not (is_first and strike.action):
            return strike


def counting_workflow(counter):
    """Return a workflow that reports each turn to a counter."""
    return graph(
        static("greet", "Hello"),
        chat("ask", self_loop=False),
        http("count", f"{counter}/count?word={{{{word}}}}"),
        direct("greet", "ask"),
        direct("ask", "count"),
        direct("count", "ask"),
    )
