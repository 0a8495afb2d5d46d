"""Users, pages and a network in random order, against a model of what may be executed and shown."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from debugger.backends.hosted import HostedBackend
from debugger.session.forks import replay_from_start
from debugger.session.session import DebugSession
from debugger.settings import HostedSettings
from tests.conformance.served import KEY
from tests.faults.fault import EXECUTE, RUN, RUNS
from tests.faults.gateway import PASS, Gateway, Reply
from tests.faults.http_messages import answer
from tests.faults.page import Page
from tests.faults.plan import STATUSES
from tests.faults.run_model import TabModel, TextModel, differing_turns
from tests.faults.servers import PAGE_USER

TIMEOUT = 2.0
"""Of a turn, in seconds."""
LOOKED = 0.3
"""For which a turn without an answer is looked for, in seconds."""
MAX_TABS = 3
MAX_TURNS = 8
"""Of a run."""
MAX_KILLS = 2
PLACES = st.integers(0, MAX_TABS - 1)
RARELY = st.integers(0, 5).map(lambda number: number == 0)
STARTED = "the server was killed and started again"


def _raw(status, content=b"", content_type="application/json", *headers):
    return answer(
        status, content, content_type, **{name.replace("-", "_"): text for name, text in headers}
    ).raw


LOSSES = {"dropped": b"", **{name: _raw(*parts) for name, parts in STATUSES.items()}}
"""What a client gets in place of the answer of a turn, by name."""


def _chosen(tabs, at):
    return tabs[at % len(tabs)]


def where(is_possible):
    """Make a rule do nothing where it is not possible.

    A precondition would let clocks and sockets decide what is drawn, which Hypothesis refuses.
    """

    def decorate(step):
        @wraps(step)
        def run(self, **drawn):
            if is_possible(self):
                step(self, **drawn)

        return run

    return decorate


class Network:
    """One page's way to the server, through a gateway of its own."""

    def __init__(self, port):
        self.strike = None
        """The reply to the next turn."""
        self.stale_reads = 0
        """Reads that are answered as the same address was answered before."""
        self._former = {}
        self.gateway = Gateway(port, self._choose)

    def _choose(self, seen):
        if seen.target == EXECUTE and self.strike is not None:
            reply, self.strike = self.strike, None
            return reply
        if seen.target in (RUN, RUNS):
            former = self._former.get(seen.path)
            if self.stale_reads and former is not None and former.status == 200:
                self.stale_reads -= 1
                return Reply(_raw(200, former.answer), forwards="never")
            if not self.stale_reads:
                self._former[seen.path] = seen
        return PASS


@dataclass
class Tab:
    """One page with its network, and the model of it."""

    page: Page
    network: Network
    backend: HostedBackend
    model: TabModel
    name: str


class SessionMachine(RuleBasedStateMachine):
    """Rules are what users and networks do; after each, the model is compared with server and page.

    `make_machine` makes the class of a server.
    """

    server = None
    server_name = ""
    _numbers = count(1)

    def __init__(self):
        super().__init__()
        self._stack = ExitStack()
        self.number = next(self._numbers)
        """By which its texts are told from those of other machines on the same server."""
        self.texts = TextModel()
        self.open = []
        """The tabs that are open."""
        self.count = 0
        self.kills = 0
        self.trace = []

    def teardown(self):
        try:
            for tab in self.open:
                tab.network.gateway.wait_for_late()
            self._check_texts()
        finally:
            self._stack.close()

    # What users do

    @initialize()
    def open_first_run(self):
        self._open(lambda backend: DebugSession(backend, self.server.workflow_id))

    @rule()
    @where(lambda self: len(self.open) < MAX_TABS)
    def open_another_run(self):
        self._open(lambda backend: DebugSession(backend, self.server.workflow_id))

    @rule(at=PLACES)
    @where(lambda self: len(self.open) < MAX_TABS and self._recorded)
    def open_the_same_run(self, at):
        run_id = _chosen(self._recorded, at).page.run_id
        self._open(lambda backend: DebugSession.open(backend, run_id))

    @rule(at=PLACES)
    @where(lambda self: self._recorded)
    def reload(self, at):
        tab = _chosen(self._recorded, at)
        self.open.remove(tab)
        self._note(f"{tab.name} is closed")
        tab.backend.close()
        if tab.model.state == "asked":  # the page forgets its question
            tab.model.texts.allow(tab.model.awaited)
        self._open(lambda backend: DebugSession.open(backend, tab.page.run_id))

    @rule(at=PLACES, is_same=RARELY)
    @where(lambda self: self._free)
    def say(self, at, is_same):
        self._say(_chosen(self._free, at), is_same)

    @rule(
        at=PLACES,
        is_same=RARELY,
        loss=st.sampled_from(sorted(LOSSES)),
        forwards=st.sampled_from(["before", "before", "never"]),
    )
    @where(lambda self: self._free)
    def say_and_lose_the_answer(self, at, is_same, loss, forwards):
        self._say(_chosen(self._free, at), is_same, loss, forwards)

    @rule(at=PLACES)
    @where(lambda self: self._asked)
    def say_while_asked(self, at):
        tab = _chosen(self._asked, at)
        self.count += 1
        text = f"machine {self.number} text {self.count}"
        self._note(f"{tab.name} says {text!r} while it asks")
        tab.page.send(text)
        assert tab.page.session.error is not None, self._told(f"{tab.name} takes {text!r} while it asks")
        tab.page.session.unsent_message = ""
        self._read(tab)

    @rule(at=PLACES)
    def look(self, at):
        tab = _chosen(self.open, at)
        self._note(f"{tab.name} looks")
        tab.page.look()
        self._read(tab)

    @rule(at=PLACES)
    @where(lambda self: self._asked)
    def send_again(self, at):
        tab = _chosen(self._asked, at)
        self._note(f"{tab.name} sends it again")
        tab.model.repeat()
        tab.page.send_again()
        self._read(tab)

    @rule(at=PLACES)
    @where(lambda self: self._asked)
    def discard(self, at):
        tab = _chosen(self._asked, at)
        self._note(f"{tab.name} discards it")
        tab.model.drop()
        tab.page.discard()
        self._read(tab)

    @rule(at=PLACES, number=st.integers(1, MAX_TURNS))
    @where(lambda self: len(self.open) < MAX_TABS and self._recorded)
    def fork_by_replay(self, at, number):
        tab = _chosen(self._recorded, at)
        fork = self._open(lambda backend: DebugSession.open(backend, tab.page.run_id))
        turns = fork.page.turns
        number = min(number, len(turns))
        self._note(f"it is forked, its turns to {number} are sent again")
        for _, texts, _ in turns[:number]:
            for text in texts:
                self.texts.allow(text)
        fork.page.session, replay = replay_from_start(fork.page.session, number)
        fork.page.session.replay_inputs(replay)
        fork.page.wait()
        self._read(fork)
        sent = [texts for _, texts, _ in turns[:number]]
        assert [texts for _, texts, _ in fork.page.turns] == sent, self._told("the fork has other turns")

    # What happens to them

    @rule(at=PLACES, reads=st.integers(1, 4))
    @where(lambda self: self._recorded)
    def let_record_lag(self, at, reads):
        tab = _chosen(self._recorded, at)
        if self.server_name == "ours" or tab.model.state == "idle":
            self._note(f"{tab.name} gets {reads} reads of the record as they were")
            tab.network.stale_reads = reads

    @rule()
    @where(lambda self: self.kills < MAX_KILLS and self.trace[-1] != STARTED)
    def kill_server(self):
        self.kills += 1
        with self.server.restarting():
            pass
        self._note(STARTED)

    @property
    def _recorded(self):
        return [tab for tab in self.open if tab.page.run_id is not None and tab.page.turns]

    @property
    def _free(self):
        """The tabs in which a text may be sent."""
        return [
            tab
            for tab in self.open
            if tab.model.state != "asked" and len(tab.page.turns) < MAX_TURNS and not tab.page.is_over
        ]

    @property
    def _asked(self):
        return [tab for tab in self.open if tab.model.state == "asked"]

    # What must be true

    @invariant()
    def texts_are_executed_as_said(self):
        self._check_texts()

    @invariant()
    def pages_at_rest_show_the_record(self):
        """A page that asks nothing, was loaded and is read without lag shows what is on record."""
        resting = [
            tab
            for tab in self.open
            if tab.page.run_id and tab.model.state != "asked" and not tab.network.stale_reads
        ]
        if not resting:
            return
        for tab in resting:
            tab.page.look()
            for _ in range(3):
                if tab.page.has_newer_turns:
                    tab.page.load_newer_turns()
            self._read(tab)
            if tab.model.state == "asked":
                continue
            found = differing_turns(tab.page.turns, self.server.record(tab.page.run_id), tab.page.differing)
            assert not found, self._told(f"{tab.name} shows turns {found} otherwise than the record")

    # How

    def _open(self, make):
        network = Network(self.server.port)
        self._stack.enter_context(network.gateway)
        settings = HostedSettings(
            base_url=f"http://127.0.0.1:{network.gateway.server_port}/workflows",
            api_key=KEY,
            user_id=PAGE_USER,
            timeout=TIMEOUT,
            connect_timeout=TIMEOUT,
            reconciliation_timeout=LOOKED,
            live_events="off",
        )
        backend = HostedBackend(settings)
        self._stack.callback(backend.close)
        page = Page(make(backend))
        self.count += 1
        tab = Tab(page, network, backend, TabModel(self.texts), f"tab {self.count}")
        self._note(f"{tab.name} is opened, run {str(page.run_id)[-4:]}")
        self.open.append(tab)
        return tab

    def _say(self, tab, is_same, loss="", forwards=""):
        if tab.model.state == "offered":
            text = tab.page.offered
        else:
            text = self._text(tab, is_same)
            tab.model.say(text)
        if loss and self._may_lose(tab, text):
            tab.network.strike = Reply(LOSSES[loss], forwards)
        is_struck = tab.network.strike is not None or tab.network.stale_reads > 0
        self._note(f"{tab.name} says {text!r}" + f", {loss}, forwarded {forwards}" * is_struck)
        tab.page.send(text)
        tab.network.strike = None
        self._read(tab)
        if not is_struck:
            assert tab.model.state != "asked", self._told(f"{tab.name} asks about a turn that nothing struck")

    def _text(self, tab, is_same):
        said = [text for _, texts, _ in tab.page.turns for text in texts]
        if is_same and said:
            return said[-1]
        self.count += 1
        return f"machine {self.number} text {self.count}"

    def _may_lose(self, tab, text):
        """Return whether a client can tell, with this server, what became of a turn without an answer."""
        if self.server_name == "ours":
            return True
        is_repeated = self.texts.at_most[text] > 1
        return not (tab.network.stale_reads or is_repeated)

    def _read(self, tab):
        self._note(f"    {tab.name}: {tab.page.statement}")
        found = tab.model.read(tab.page)
        assert not found, self._told(f"{tab.name}: {'; '.join(found)}")

    def _check_texts(self):
        mine = f"machine {self.number} "
        executed = Counter(
            execution.text for execution in self.server.executions() if execution.text.startswith(mine)
        )
        found = self.texts.faults(executed)
        assert not found, self._told("; ".join(found))

    def _note(self, line):
        self.trace.append(line)

    def _told(self, fault):
        return "\n".join([fault, f"on {self.server_name}:", *self.trace])


def make_machine(name, server):
    """Return the machine of a server that is started; the name is of `servers.NAMES`."""
    return type(f"SessionMachine_{name}", (SessionMachine,), {"server_name": name, "server": server})
