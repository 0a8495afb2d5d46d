"""Replays of runs, and the same runs made for real on the changed version with the same script."""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import zip_longest

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.engine.models import HeuristicModel, ScriptedModel
from debugger.engine.models.script import Script
from debugger.errors import InputError
from debugger.protocol.runs import TERMINAL_STATUSES, TurnInput
from debugger.protocol.workflow import Workflow
from debugger.replays.replayer import Replayer
from debugger.settings import Settings
from tests.support.planted_changes import at, edge, of_edge, sample, without_edge
from tests.support.replays import Clock

CLINIC, LAB, CITY = "clinic_front_desk", "lab_results", "city_services"


def appended(node_id, text):
    """A change that adds to what a node is told, or says."""

    def change(workflow):
        node = at(workflow, node_id)
        if "main_response_config" in node:
            node["main_response_config"]["prompt"] += text
        else:
            texts = node["static_messages_config"]["static_messages"]
            texts[:] = [each + text for each in texts]

    return change


def condition(edge_id, expression):
    return lambda workflow: edge(workflow, edge_id)["condition"].update(condition_expression=expression)


CHANGES = {
    "clinic: other goodbye": (CLINIC, appended("node_goodbye", " Bye now.")),
    "clinic: other greeting": (CLINIC, appended("node_greeting", " How are you?")),
    "clinic: prompt of the offer": (CLINIC, appended("node_offer_slots", " Be brief.")),
    "clinic: day is not needed": (
        CLINIC,
        condition("edge_complete", "isPresent([[full_name]]) AND isPresent([[date_of_birth]])"),
    ),
    "clinic: never urgent": (CLINIC, without_edge("edge_urgent")),
    "clinic: booked goes to the end": (
        CLINIC,
        of_edge("edge_booked_to_wrap_up", destination_node_logical_id="node_goodbye"),
    ),
    "clinic: billing leads to a person": (
        CLINIC,
        of_edge("edge_billing_done", destination_node_logical_id="node_human"),
    ),
    "lab: no reassurance": (LAB, without_edge("edge_worried")),
    "lab: text after the result": (LAB, appended("node_read_result", " Thank you.")),
    "lab: prompt of the result desk": (LAB, appended("node_result_desk", " Be kind.")),
    "city: other notice": (CITY, appended("node_notice", " Really.")),
    "city: waste goes to the hours": (
        CITY,
        of_edge("edge_056_waste_bulky_prepare_to_waste_bulky_next", destination_node_logical_id="node_hours"),
    ),
}
TOPICS = (
    "The waste department, please.",
    "I have old furniture, bulky waste.",
    "Yes, please.",
    "No, that is all, goodbye.",
    "A new passport",
    "When are you open?",
    "There is a fire in my house!",
    "I want to talk to a clerk",
    "parking permit",
)


class Listening:
    """A model that notes what it is asked."""

    def __init__(self, model):
        self.model = model
        self.asked = []

    def reply(self, prompt):
        history = [(each.get("type"), each.get("content")) for each in prompt.history()]
        exchange = [(each.get("type"), each.get("content")) for each in prompt.exchange]
        choices = [(each.destination_node_logical_id, each.condition) for each in prompt.choices]
        said = prompt.system, prompt.message, history, exchange, choices, prompt.schema
        self.asked.append((prompt.node_logical_id, prompt.kind, json.dumps(said, default=str)))
        return self.model.reply(prompt)

    def take(self):
        """Return what it was asked since the last time."""
        taken, self.asked = self.asked, []
        return taken


def lines_of(name, seed):
    """The lines of a caller in one run: those of a conversation of the script, some of them of others."""
    chance = random.Random(seed)
    _, script = sample(name)
    if not script:
        start = chance.randint(0, 3)
        return [*TOPICS[start:4], *(chance.choice(TOPICS) for _ in range(chance.randint(0, 4)))]

    read = Script.load(script)
    calls = [read.demo, *read.alternatives.values()]
    own = chance.choice(calls)
    return [chance.choice(chance.choice(calls)) if chance.random() < 0.15 else line for line in own]


class World:
    """One sample with a model that notes its prompts, by the turn."""

    def __init__(self, name, change=None):
        made, script = sample(name)
        if change is not None:
            change(made)
        self.clock = clock = Clock()
        answers = ScriptedModel(Script.load(script), HeuristicModel()) if script else HeuristicModel()
        self.model = Listening(answers)
        self.document = made
        self.backend = EmbeddedBackend(
            Settings(database="sqlite://"),
            world=Environment(now=clock.now, sleep=clock.sleep, random=random.Random(1)),
            model=self.model,
        )
        self.workflow_id = self.backend.create_workflow(made).id

    def run(self, lines):
        """The id of a run with these lines, and the prompts, transitions and words of each turn."""
        result, trace = self.turn(None, None)
        turns = [trace]
        for line in lines:
            for _ in range(3):
                if not (result.has_background_work or result.has_active_companions):
                    break
                self.clock.seconds += 20
                result, trace = self.listen(self.backend.pump(self.workflow_id, result.run_id))
                turns[-1] += trace
            if result.status in TERMINAL_STATUSES:
                break
            try:
                result, trace = self.turn(line, result.run_id)
            except InputError:  # the conversation is over
                break
            turns.append(trace)
        return result.run_id, turns

    def turn(self, line, run_id):
        given = TurnInput.with_message(line, command="data" if run_id else "start")
        return self.listen(self.backend.execute(self.workflow_id, given, run_id=run_id))

    def listen(self, stream):
        trace = []
        for event in stream:
            trace += [("asked", *each) for each in self.model.take()]
            wire = event.to_wire()
            if event.type.endswith("_edge"):
                ends = wire["source_node_logical_id"], wire["destination_node_logical_id"]
                trace.append(("edge", *ends))
            elif event.type == "assistant_response":
                trace.append(("said", wire["content"]))
        return stream.finish(), trace


def truth(before, after):
    """The verdict by two real runs, with the turn: what the changed version did with the same script."""
    known = Counter(step for turn in before for step in turn if step[0] == "asked")
    other_words = None
    for number, (old, new) in enumerate(zip_longest(before, after, fillvalue=()), start=1):
        was, said = ([step for step in old if step[0] == kind] for kind in ("edge", "said"))
        for step in new:
            if step[0] == "asked":
                if not known[step]:
                    return other_words or ("needs_model", number)
                known[step] -= 1
            elif step[0] == "edge":
                if not was or step != was.pop(0):
                    return "path", number
            elif not said or step != said.pop(0):
                other_words = other_words or ("words", number)
        if was:
            return "path", number
        if said:
            other_words = other_words or ("words", number)
    return other_words or ("same", None)


def found(result):
    verdict = "words" if result.verdict == "variables" else result.verdict
    return verdict, result.divergence.turn if result.divergence else None


@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(25), marks=pytest.mark.campaign)])
@pytest.mark.parametrize("name", CHANGES)
def test_replays_agree_with_real_runs(name, seeds):
    base, change = CHANGES[name]
    own, other = World(base), World(base, change)
    replayer = Replayer(
        own.backend,
        own.workflow_id,
        0,
        Workflow.from_document(other.document),
        options=own.backend.engine_options,
    )
    expected, replayed = {}, {}
    for seed in seeds:
        lines = lines_of(base, seed)
        run_id, before = own.run(lines)
        _, after = other.run(lines)
        expected[seed] = truth(before, after)
        result = replayer.replay(run_id)
        assert result.verdict != "not_comparable", (seed, result.reason)
        replayed[seed] = found(result)

    assert replayed == expected
