"""Seeded conversations with a server through the fault proxy, and what became of them."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from debugger.backends.hosted import HostedBackend
from debugger.session.session import DebugSession
from debugger.settings import HostedSettings
from tests.conformance.served import KEY
from tests.faults.clock import wrong_clock
from tests.faults.fault import TURN_FRAME
from tests.faults.guarded import end_with
from tests.faults.other_client import OtherClient
from tests.faults.page import Page
from tests.faults.past_record import PastRecord
from tests.faults.plan import FULL, NOTHING, SHORT, Timing, draw
from tests.faults.proxy import fault_proxy
from tests.faults.servers import NAMED, OTHER_USER, PAGE_USER, started
from tests.faults.tally import KINDS, Finding, compare
from tests.faults.user import Conversation, Said, User

SHORTEST, LONGEST = 4, 8
"""Turns of a run."""
ACKNOWLEDGED = ("each", "first")
"""Which turns of a socket a stranger acknowledges, one of which is drawn for each run."""
CLOCKS = (0, 0, 600, -600)
"""Seconds by which a client's clock is ahead, one of which is drawn for each run."""
SAME_TEXT = 0.15
"""The share of turns that repeat a text of the run."""
_STEPS = ("done", "unknown", "offered", "newer turns", "send again", "discard", "run over")


@dataclass(frozen=True)
class Terms:
    """Parameters of a campaign."""

    server: str
    """See `servers.NAMES`."""
    channel: str
    """``rest`` or ``socket``."""
    struck_turns: int
    """Turns that something strikes, after which it ends."""
    seed: str
    timing: Timing = FULL
    struck: float = 0.7
    """The share of turns that something strikes; without strikes, `struck_turns` counts all turns."""
    workers: int = 4
    seconds: float = 600.0
    """After which no further run begins."""
    database: str | None = None
    """The store where the server is ours; needs one worker."""


@dataclass
class Outcome:
    """The conversations of a campaign, and what is wrong with them."""

    terms: Terms
    talks: list[Conversation]
    findings: list[Finding]

    @property
    def counts(self):
        """The number of findings by kind; of kinds without any, none."""
        return dict(Counter(finding.kind for finding in self.findings))

    @property
    def said(self):
        """All texts of the users."""
        return [said for talk in self.talks for said in talk.said]

    @property
    def struck(self):
        """The texts whose turn something struck."""
        return [said for said in self.said if said.is_struck]

    @property
    def questions(self):
        """The struck texts that the user had to decide about."""
        return [said for said in self.struck if said.is_asked]

    def report(self):
        """Return everything as text: a table by strike, one by clock, and the findings."""
        terms = self.terms
        rows = defaultdict(list)
        for said in self.said:
            rows[said.strike].append(said)
        found = defaultdict(Counter)
        for finding in self.findings:
            found[finding.strike][finding.kind] += 1
        columns = ("turns", "struck", *_STEPS, *KINDS[:6], "slowest")
        width = max(len(name) for name in [*rows, "what strikes the turn"])
        lines = [
            f"seed {terms.seed}, {terms.server}, {terms.channel}: {len(self.talks)} runs, "
            f"{len(self.said)} turns, {len(self.struck)} struck, {len(self.questions)} questions; "
            f"{self.counts}",
            " | ".join([f"{'what strikes the turn':{width}}", *columns]),
        ]
        total = Counter()
        for counts in found.values():
            total.update(counts)
        for name, said, counts in [
            *((name, rows[name], found[name]) for name in sorted(rows)),
            ("total", self.said, total),
        ]:
            cells = [len(said), sum(one.is_struck for one in said)]
            cells += [sum(bool(one.times(step)) for one in said) for step in _STEPS]
            cells += [counts[kind] for kind in KINDS[:6]]
            texts = [str(cell or "-") for cell in cells] + [f"{max(one.seconds for one in said):.1f} s"]
            padded = (f"{text:>{len(column)}}" for text, column in zip(texts, columns, strict=True))
            lines.append(" | ".join([f"{name:{width}}", *padded]))
        by_clock = {talk.name: talk.clock for talk in self.talks}
        clocks = Counter(f"{by_clock[finding.talk]:+d} s" for finding in self.findings if finding.talk)
        lines.append(f"findings by the client's clock: {dict(clocks)}")
        short = " --short" if terms.timing == SHORT else ""
        lines.append(
            f"to repeat run N: python -m tests.faults.replay --server {terms.server} "
            f"--channel {terms.channel} --seed {terms.seed} --workers {terms.workers}{short} --run N"
        )
        return "\n".join([*lines, *self._listed()])

    def _listed(self):
        """Yield the findings, those of a kind and a strike together."""
        together = defaultdict(list)
        for finding in self.findings:
            together[finding.kind, finding.strike].append(finding)
        for (kind, strike), found in sorted(together.items()):
            yield f"{kind} | {strike} | {', '.join(f'{each.talk}: {each.detail}' for each in found)}"

    def trace(self, name):
        """Return what happened in a conversation, as text."""
        talk = next(talk for talk in self.talks if talk.name == name)
        start = talk.trace[0][0] if talk.trace else 0.0
        return "\n".join(f"{at - start:8.3f} {line}" for at, line in sorted(talk.trace))


def run_campaign(terms, folder):
    """Run the conversations, each worker in a process with a server of its own; return the outcome."""
    deadline = time.monotonic() + terms.seconds
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    with (
        reader,
        writer,
        ProcessPoolExecutor(
            terms.workers, mp_context=context, initializer=_end_with_campaign, initargs=(reader,)
        ) as pool,
    ):
        try:
            done = [pool.submit(_work, terms, folder, worker, deadline) for worker in range(terms.workers)]
            results = [each.result() for each in done]
        except BaseException:
            writer.close()  # the workers end, and their servers with them
            raise
    talks = sorted((talk for found, _ in results for talk in found), key=lambda talk: int(talk.name[4:]))
    return Outcome(terms, talks, [finding for _, found in results for finding in found])


def run_conversations(terms, folder, numbers, is_enough=lambda talks: False):
    """Run conversations of a campaign in this process, one after the other; return the outcome.

    Args:
        terms: The campaign.
        folder: Where the server's files go.
        numbers: Of the runs.
        is_enough: Returns whether the conversations so far are enough.
    """
    talks, broken = [], []
    with (
        started(terms.server, folder, terms.database) as server,
        fault_proxy(server.port) as proxy,
        server.client(OTHER_USER) as http,
    ):
        other_client = OtherClient(http, server.workflow_id)
        for number in numbers:
            if is_enough(talks):
                break
            talk = Conversation(f"run {number}")
            talks.append(talk)
            try:
                _converse(terms, server, proxy, other_client, number, talk)
            except Exception:  # the other conversations go on, and this one is reported
                talk.is_deleted = True
                broken.append(Finding("broken", talk.name, _last_strike(talk), traceback.format_exc()))
            talk.trace += proxy.trace
            proxy.trace.clear()
        found = compare(
            talks, server.executions(), server.records(), other_client.started, has_ids=terms.server in NAMED
        )
        for talk in talks:
            talk.trace += [
                (execution.at, f"EXECUTED {execution.text!r} for {user}")
                for user in (PAGE_USER, OTHER_USER)
                for execution in server.executions(user)
                if execution.text in {said.text for said in talk.said}
            ]
    return Outcome(terms, talks, [*broken, *found])


def _end_with_campaign(reader):
    """End this worker when the other end of a pipe is closed, however its process ends."""

    def wait():
        with suppress(EOFError):
            reader.recv()

    end_with(wait)


def _work(terms, folder, worker, deadline):
    """Run a worker's share of the conversations; return them and the findings."""
    place = Path(folder) / f"worker {worker}"
    place.mkdir()

    def is_enough(talks):
        done = sum(said.is_struck or not terms.struck for talk in talks for said in talk.said)
        return done >= terms.struck_turns / terms.workers or time.monotonic() >= deadline

    outcome = run_conversations(terms, place, count(worker + 1, terms.workers), is_enough)
    return outcome.talks, outcome.findings


def _converse(terms, server, proxy, other_client, number, talk):
    """Hold the conversation of a number.

    What strikes a turn depends on the numbers of run and turn alone, not on what happened before.
    """
    seed = f"{terms.seed} {terms.channel} {number}"
    rng = Random(seed)
    talk.clock = rng.choice(CLOCKS) if terms.struck else 0
    server.acknowledge(Random(f"{seed} acknowledged").choice(ACKNOWLEDGED))
    proxy.held.clear()
    with wrong_clock(talk.clock), closing(open_backend(proxy.port, terms.channel, terms.timing)) as backend:
        page = Page(DebugSession(backend, server.workflow_id))

        def wait_for_network():
            proxy.wait_until_listening()
            server.wait_until_up()

        user = User(page, Random(f"{seed} user"), wait_for_network, proxy.note, terms.timing.pause)
        for turn in range(1, rng.randint(SHORTEST, LONGEST) + 1):
            rng = Random(f"{seed} turn {turn}")
            strike = NOTHING
            if rng.random() < terms.struck:
                strike = draw(rng, terms.channel, terms.timing, is_first=page.run_id is None)
            is_same = Random(f"{seed} text {turn}").random() < SAME_TEXT
            text = f"run {number} again" if is_same else f"run {number} turn {turn}"
            said = Said(text, strike.name, is_ambiguous=strike.is_ambiguous)
            talk.said.append(said)
            proxy.note(f"---- turn {turn}: {strike.name}; clock {talk.clock:+d} s")
            acted = _say(terms.timing, server, proxy, other_client, page, user, strike, said)
            talk.is_deleted = acted and strike.action == "delete"
            if page.is_over or talk.is_deleted or (acted and strike.action == "stop"):
                break
        proxy.wait_for_record()
        for _ in range(2):
            if page.run_id is not None and not talk.is_deleted:
                page.look()
                if page.has_newer_turns:
                    page.load_newer_turns()
        talk.run_id, talk.view, talk.differing = page.run_id, page.turns, page.differing
        proxy.note(f"PAGE at the end: {page.statement}")


def _say(timing, server, proxy, other_client, page, user, strike, said):
    """Say one text while it is struck; return whether another client did anything."""
    if strike is not NOTHING:
        proxy.wait_for_record()
    known, start = len(proxy.applied), time.monotonic()
    was_lagging, were_held = proxy.is_lagging, bool(proxy.held)
    if page.run_id is None and server.hides_first_turns():
        said.is_ambiguous = True
    if strike.lag:
        with server.client(OTHER_USER) as api:
            past = PastRecord(api, server.workflow_id, shows_status=strike.lag == "pairs")
        proxy.lag(past, timing.lag)
    with ExitStack() as stack:
        died = stack.enter_context(server.dying()) if strike.order == "die" else None
        if strike.order == "slow":
            stack.enter_context(server.slow(timing.slow))
        if strike.restarts:
            stack.enter_context(server.restarting())
        acted = stack.enter_context(other_client.acting(strike, proxy, page.run_id, said.text))
        proxy.arm(*strike.faults)
        try:
            user.say(said)
        finally:
            proxy.disarm()
    said.seconds = time.monotonic() - start
    applied = [each.fault for each in proxy.applied[known:]]
    said.copies = sum(
        fault.kind == "duplicate request" or (fault.kind, fault.target) == ("duplicate", TURN_FRAME)
        for fault in applied
    )
    were_released = were_held and not proxy.held
    said.is_copy_unanswered = not all(fault.is_answered for fault in applied)
    others = (
        strike.lag,
        was_lagging,
        were_released,
        strike.restarts,
        strike.order == "slow",
        died and died.is_set(),
    )
    said.is_struck = bool(applied or acted.is_set() or any(others))
    proxy.wait_until_listening()
    return acted.is_set()


def _last_strike(talk):
    return talk.said[-1].strike if talk.said else ""


def open_backend(port, channel, timing, timeout=None):
    """Return a client of the page's user.

    Args:
        port: On 127.0.0.1.
        channel: ``rest`` or ``socket``.
        timing: Of the client.
        timeout: Of a turn in seconds, instead of the timing's.
    """
    settings = HostedSettings(
        base_url=f"http://127.0.0.1:{port}/workflows",
        api_key=KEY,
        user_id=PAGE_USER,
        timeout=timeout or timing.timeout,
        connect_timeout=timing.timeout,
        reconciliation_timeout=timing.timeout,
        live_events="off" if channel == "rest" else "auto",
    )
    return HostedBackend(settings)
