"""Conversations of which every answer is known, and load of them.

In each turn but the first a session says a word of its own; the answer repeats all its words so far. An
answer of another session, a lost turn and a repeated turn change the words.
"""

from __future__ import annotations

import itertools
import queue
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.conformance.graphs import chat, direct, graph, static
from tests.conformance.served import create, execute, spoken

TURNS = 5
CONNECTIONS = 16

_RULE = r"""
    - visit: {visit}
      when: my word is (\w+)
      fill: {{heard_{turn}: $1}}
      say: "{heard}"
"""


@dataclass
class Talk:
    """One session as its client knows it."""

    name: str
    run_id: str | None = None
    answers: list[dict] = field(default_factory=list)
    """What was answered, turn by turn: the client's journal."""

    @property
    def turn(self):
        """The number of the turn that comes next."""
        return len(self.answers) + 1

    @property
    def is_over(self):
        return self.turn > TURNS

    def word(self, turn):
        return f"{self.name}w{turn}"

    def reply(self, turn):
        """Return the user's message of a turn."""
        if turn == 1:
            return f"Hello {self.name}"
        return " ".join(self.word(earlier) for earlier in range(2, turn + 1))

    def send(self, api, workflow_id):
        """Send the next turn; gives the answer as it came."""
        if self.turn == 1:
            return execute(api, workflow_id, run_by=self.name, dynamic_variables={"name": self.name})
        return execute(api, workflow_id, f"my word is {self.word(self.turn)}", self.run_id)

    def note(self, result):
        """Check the result of the next turn, and write it down."""
        assert (result["turn_number"], result["status"]) == (self.turn, "waiting_for_user_input")
        assert (result["is_waiting_for_input"], result["is_completed"]) == (True, False)
        assert (result["error"], result["has_background_work"]) == (None, False)
        assert result["next_input_hint"] in result["events"]
        assert result["next_input_hint"]["origin_node_logical_id"] == "ask"
        self._add(result)

    def note_stored(self, run):
        """Note a stored turn whose response was lost, from its record."""
        pairs = run["input_output_pairs"]
        assert (len(pairs), run["status"]) == (self.turn, "waiting_for_user_input")
        self._add({"run_id": run["workflow_run_id"], "events": pairs[-1]["run_output"]["events"]})

    def _add(self, answer):
        assert spoken(answer) == [self.reply(self.turn)]
        assert answer["run_id"] == (self.run_id or answer["run_id"])
        self.run_id = answer["run_id"]
        self.answers.append(answer)


def take_turn(api, workflow_id, talk):
    """Take the next turn of a session where nothing is wrong."""
    answer = talk.send(api, workflow_id)
    assert answer.status_code == 200, answer.text
    talk.note(answer.json())


def talks(count):
    """Return new sessions."""
    return [Talk(f"s{number}") for number in range(count)]


def create_talking(api):
    """Create a workflow that answers as a `Talk`; return its id."""
    heard = {f"heard_{turn}": {"type": "string"} for turn in range(2, TURNS + 1)}
    schema = {"name": "Heard", "input_schema": {"type": "object", "properties": heard}}
    document = graph(
        static("greet", "Hello {{name}}"),
        chat("ask", structured_output_schema=schema),
        direct("greet", "ask"),
    )
    return create(api, document)


def write_script(folder):
    """Write down what answers for the model; gives the folder of scripts."""
    rules = (
        _RULE.format(visit=turn - 1, turn=turn, heard=" ".join(f"[[heard_{n}]]" for n in range(2, turn + 1)))
        for turn in range(2, TURNS + 1)
    )
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "talk.yaml").write_text("version: 1\nworkflow: workflow_tea\nnodes:\n  ask:" + "".join(rules))
    return scripts


def play(servers, workflow_id, sessions, take=take_turn, *, connections=CONNECTIONS):
    """Play all sessions to their end.

    Turns of one session are in order, those of all are mixed, over some connections.
    Args:
        servers: Connections are spread over these.
        workflow_id: The workflow that was made by `create_talking`.
        sessions: Which sessions.
        take: Takes one turn with a client: ``take(api, workflow_id, talk)``.
        connections: How many connections, each with a thread.
    """
    waiting = queue.SimpleQueue()
    for talk in sessions:
        waiting.put(talk)

    def go_on(server):
        with server.client() as api:
            try:
                while True:
                    talk = waiting.get_nowait()
                    take(api, workflow_id, talk)
                    if not talk.is_over:
                        waiting.put(talk)
            except queue.Empty:
                return

    with ThreadPoolExecutor(connections) as threads:
        spread = itertools.islice(itertools.cycle(servers), connections)
        for done in [threads.submit(go_on, server) for server in spread]:
            done.result()
