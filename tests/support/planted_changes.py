"""Changes planted into workflows whose scenarios pass, with the words by which a report names each."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from debugger.samples import SAMPLES
from debugger.scenarios.reports.texts import failure_lines
from debugger.scenarios.results import ScenarioResult
from debugger.scenarios.runner import ScenarioRunner
from debugger.scenarios.suite import SuiteExecution, load_cases
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say, static, tool, when, worker
from tests.support.super_nodes import super_node

Json = dict[str, Any]


@dataclass(frozen=True)
class Planted:
    """A change of a workflow, and what its report must name."""

    name: str
    base: str
    """A sample, or one of `SMALL`."""
    change: Callable[[Json], object]
    turns: str
    """The rest of the scenario."""
    names: tuple[str, ...]
    """The words by which the report names the cause."""
    script: Callable[[str], str] = lambda text: text


def edge(workflow: Json, name: str) -> Json:
    """Return an edge by name or id."""
    return next(each for each in workflow["edge_configs"] if name in (each.get("name"), each["logical_id"]))


def at(workflow: Json, name: str) -> Json:
    """Return a node by its id."""
    return next(each for each in workflow["node_configs"] if each["logical_id"] == name)


def without_edge(name: str) -> Callable[[Json], object]:
    """Return a change that removes an edge."""
    return lambda workflow: workflow["edge_configs"].remove(edge(workflow, name))


def without_node(name: str) -> Callable[[Json], object]:
    """Return a change that removes a node and its edges."""

    def change(workflow: Json) -> None:
        workflow["node_configs"].remove(at(workflow, name))
        ends = "source_node_logical_id", "destination_node_logical_id"
        workflow["edge_configs"][:] = [
            each for each in workflow["edge_configs"] if name not in (each[end] for end in ends)
        ]

    return change


def of_edge(name: str, **fields: Any) -> Callable[[Json], object]:
    """Return a change that sets fields of an edge."""
    return lambda workflow: edge(workflow, name).update(fields)


def of_node(name: str, *path: str, value: Any) -> Callable[[Json], object]:
    """Return a change that sets a value in a node."""

    def change(workflow: Json) -> None:
        place = at(workflow, name)
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def swapped(one: str, other: str) -> Callable[[Json], object]:
    """Return a change that swaps two edges."""

    def change(workflow: Json) -> None:
        edges = workflow["edge_configs"]
        first, second = edges.index(edge(workflow, one)), edges.index(edge(workflow, other))
        edges[first], edges[second] = edges[second], edges[first]

    return change


def moved_start(name: str) -> Callable[[Json], object]:
    """Return a change of the start node."""

    def change(workflow: Json) -> None:
        for each in workflow["node_configs"]:
            each["is_start"] = each["logical_id"] == name

    return change


def renamed_field(node_id: str, old: str, new: str) -> Callable[[Json], object]:
    """Return a change that renames a field of a schema."""

    def change(workflow: Json) -> None:
        fields = at(workflow, node_id)["structured_output_schema"]["input_schema"]["properties"]
        fields[new] = fields.pop(old)

    return change


def sample(name: str) -> tuple[Json, str]:
    """Return the newest version of a sample with its script."""
    found = next(each for each in SAMPLES if each.versions[-1] == f"{name}.json")
    return copy.deepcopy(found.load_documents()[-1]), found.script_text() or ""


PRICE = "def price(size):\n    return {'amount': 12 if size == 'large' else 7}\n"
FAILS = "def price(size):\n    raise RuntimeError('The price list is closed')\n"
SLOW = f"import time\n{PRICE.replace('    return', '    time.sleep(0.6)' + chr(10) + '    return')}"
COUNT = "def count(n):\n    return int(n) + 1 if str(n).isdigit() else 1\n"
ADVANCE = "clock: 2026-03-02T09:00:00Z\n"


def shop() -> Json:
    """Return a shop that looks up a price and branches on it and on its failure."""
    return document(
        tool("price", PRICE, {"size": "{{size}}"}, result_runtime_variable_name="quote"),
        static("cheap", "That is cheap: [[quote.amount]]."),
        static("dear", "That is dear: [[quote.amount]]."),
        static("sorry", "I am sorry, I cannot see the price."),
        static("bye", "Goodbye from {{shop}}."),
        when("price", "sorry", "[[quote_success]] == false", name="no price"),
        when("price", "dear", "[[quote.amount]] > 10", name="dear"),
        when("price", "cheap", "[[quote.amount]] > 5", name="cheap"),
        direct("cheap", "bye"),
        direct("dear", "bye"),
        direct("sorry", "bye"),
        defaults={"size": "large", "shop": "Leaf"},
    )


def counter() -> Json:
    """Return a loop that counts to three."""
    return document(
        tool("count", COUNT, {"n": "[[n]]"}, result_runtime_variable_name="n"),
        static("done", "Counted to [[n]]."),
        when("count", "done", "[[n]] >= 3", name="far enough"),
        when("count", "count", "[[n]] < 3", name="again"),
    )


def retrying() -> Json:
    """Return a tool that is tried until it has an answer, and an apology."""
    loop = {"enabled": True, "max_retries": 5, "time_between_retries": 2}
    return document(
        {**tool("poll", COUNT, {"n": "[[n]]"}, result_runtime_variable_name="n"), "self_loop_config": loop},
        static("ready", "It is ready."),
        static("late", "It is late."),
        when("poll", "ready", "[[n]] >= 4", name="ready"),
        when("poll", "late", "isPresent([[self_loop_outcome]])", name="given up"),
    )


def form() -> Json:
    """Return a form that asks for a number, and a super node that doubles it."""
    double = document(
        tool(
            "double",
            "def double(n):\n    return int(n) * 2\n",
            {"n": "[[guests]]"},
            result_runtime_variable_name="chairs",
        ),
    )
    return document(
        {**worker("ask", {"guests": {"type": "integer"}}), "wait_for_user_message": False},
        super_node("table", double),
        static("tell", "I bring [[chairs]] chairs."),
        direct("ask", "table"),
        direct("table", "tell"),
    )


def lookup() -> Json:
    """Return a request that reads the weather, and one that writes a booking."""
    return document(
        node(
            "weather", "http_request", url="https://weather.example/today", result_runtime_variable_name="sky"
        ),
        static("sunny", "The sun shines."),
        static("unknown", "I do not know the weather."),
        when("weather", "sunny", "[[sky.sun]] == true", name="sunny"),
        when("weather", "unknown", "[[sky.sun]] != true", name="unknown"),
    )


def booking() -> Json:
    """Return a request with a body to a server that confirms the day in it."""
    return document(
        node(
            "book",
            "http_request",
            method="POST",
            url="{{server}}/book",
            body_parameters={"day": "{{day}}", "guest": "Ada"},
            result_runtime_variable_name="booked",
        ),
        static("confirm", "Booked for [[booked.day]]."),
        direct("book", "confirm"),
        defaults={"day": "Tuesday"},
    )


def words() -> Json:
    """Return a desk whose edges are conditions in words."""
    return document(
        {**say("desk", "Ask what the caller needs."), "wait_for_user_message": True},
        static("refund", "Here is your money."),
        static("exchange", "Here is another one."),
        when("desk", "refund", freeform="The caller wants the money back, a refund", name="refund"),
        when("desk", "exchange", freeform="The caller wants to exchange the article", name="exchange"),
    )


SMALL: dict[str, Callable[[], Json]] = {
    each.__name__: each for each in (shop, counter, retrying, form, lookup, booking, words)
}
SCRIPTS = {
    "lookup": "version: 1\nworkflow: workflow_test\nanswers:\n"
    "  - to: GET https://weather\\.example/today\n    body: {sun: true}\n",
}

BOOK = """turns:
  - say: Hi, I'd like to book an appointment, please.
    expect: [{reached: Booking intake}]
  - say: My name is Ada Moreno, and I was born on March 3, 1990.
    expect: [{variable: {name: runtime.full_name, equals: Ada Moreno}}]
  - say: It's about a sore knee, and Tuesday would be best.
    expect: [{says: 'Tuesday at 9:20 am'}]
  - say: The earlier one, please.
    expect: [{hint: {node: Read back}}]
  - say: Yes, please book it.
    expect: [{variable: {name: runtime.booking_code, regex: '^JL-'}}]
"""
LAB = (
    ADVANCE
    + """turns:
  - say: This is Ada Moreno, born on March 3, 1990.
  - say: I'm fine, thank you.
  - advance: 6
    expect: [{says: Your results are here}]
"""
)

CHANGES = (
    Planted(
        "an edge is removed",
        "clinic_front_desk",
        without_edge("book"),
        BOOK,
        ("'Intent desk'", "no edge to 'Booking intake'"),
        lambda text: text.replace("      take: book\n", ""),
    ),
    Planted(
        "an edge leads to another node",
        "clinic_front_desk",
        of_edge("book", destination_node_logical_id="node_change_desk"),
        BOOK,
        ("'Intent desk' > book > 'Change desk'",),
    ),
    Planted(
        "a condition is changed",
        "clinic_front_desk",
        of_edge(
            "slots free",
            condition={"condition_expression": "[[slots_success]] == true AND [[slots.count]] > 2"},
        ),
        BOOK,
        ("'Find slots'", "'slots free' to 'Offer slots': false", "[[slots.count]] > 2", "2 > 2"),
    ),
    Planted(
        "a field of a schema is renamed",
        "form",
        renamed_field("ask", "guests", "visitors"),
        "turns: [{say: We are 4., expect: [{variable: {name: runtime.guests, equals: 4}}]}]",
        ("No node of the workflow sets runtime.guests", "visitors"),
    ),
    Planted(
        "a field of a schema has another type",
        "form",
        of_node(
            "ask",
            "structured_output_schema",
            "input_schema",
            "properties",
            value={"guests": {"type": "boolean"}},
        ),
        "turns: [{say: We are 4., expect: [{variable: {name: runtime.guests, equals: 4}}]}]",
        ("'Ask'", "boolean"),
    ),
    Planted(
        "a node is removed",
        "city_services",
        without_node("node_hours"),
        "turns: [{say: 'When are the counters open?', expect: [{reached: node_hours}]}]",
        ("no node 'node_hours'",),
    ),
    Planted(
        "a tool raises an error",
        "shop",
        of_node("price", "tool_config", "code", value=FAILS),
        "turns: [{say: Hello, expect: [{says: That is dear}]}]",
        ("Price", "The price list is closed"),
    ),
    Planted(
        "a tool is slow",
        "shop",
        of_node("price", "tool_config", "code", value=SLOW),
        "turns: [{say: Hello, expect: [{at_most: {ms: 500}}]}]",
        ("Longest: 'Price'",),
    ),
    Planted(
        "a request has another URL",
        "lookup",
        of_node("weather", "url", value="https://weather.example/tomorrow"),
        "turns: [{say: Hello, expect: [{says: The sun shines}]}]",
        ("'Weather'", "https://weather.example/tomorrow", "'sunny' to 'Sunny': false"),
    ),
    Planted(
        "fewer retries",
        "retrying",
        of_node("poll", "self_loop_config", "max_retries", value=2),
        "clock: 2026-03-02T09:00:00Z\nturns: [{say: Hello, expect: [{says: It is ready}]}]",
        ("'Poll'", "'ready' to 'Ready': false", "3 >= 4", "max_retries"),
    ),
    Planted(
        "the words of a condition are changed",
        "words",
        of_edge("refund", condition={"condition_freeform": "The caller complains"}),
        "turns: [{say: Hello}, {say: 'Yes, a refund of my money back.', expect: [{edge_taken: refund}]}]",
        ("'Desk'", "'refund' to 'Refund'", "The caller complains", "offered|could choose"),
    ),
    Planted(
        "a fixed text is changed",
        "tea_welcome",
        of_node(
            "node_welcome",
            "static_messages_config",
            "static_messages",
            value=["Hello at {{shop_name}}, {{guest_name}}."],
        ),
        "turns: [{say: Hello, expect: [{says: Welcome to Leaf & Kettle}]}]",
        ("'Welcome' said 'Hello at Leaf & Kettle, guest.'", "its text is 'Hello at {{shop_name}}"),
    ),
    Planted(
        "two edges change places",
        "shop",
        swapped("dear", "cheap"),
        "turns: [{say: Hello, expect: [{reached: Dear}]}]",
        ("'Price'", "'cheap' to 'Cheap' was taken", "'dear' to 'Dear'", "holds as well"),
    ),
    Planted(
        "a loop has another bound",
        "counter",
        lambda workflow: (
            edge(workflow, "far enough")["condition"].update(condition_expression="[[n]] >= 5"),
            edge(workflow, "again")["condition"].update(condition_expression="[[n]] < 5"),
        ),
        "turns: [{say: Hello, expect: [{at_most: {node_runs: 4}}]}]",
        ("'Count' 5", "[[n]] >= 5"),
    ),
    Planted(
        "the run begins at another node",
        "tea_welcome",
        moved_start("node_tea_of_the_day"),
        "turns: [{say: Hello, expect: [{path: [Welcome, Tea of the day]}]}]",
        ("begins at 'Tea of the day', and not at 'Welcome'",),
    ),
    Planted(
        "a default of a variable is changed",
        "tea_welcome",
        lambda workflow: workflow["workflow_config"]["miscellaneous"]["default_dynamic_variables"].update(
            shop_name="Bean & Cup"
        ),
        "turns: [{say: Hello, expect: [{says: Welcome to Leaf & Kettle}]}]",
        ("'Welcome'", '{{shop_name}} is "Bean & Cup"'),
    ),
    Planted(
        "a variable of a text is renamed",
        "tea_welcome",
        of_node(
            "node_welcome",
            "static_messages_config",
            "static_messages",
            value=["Welcome to {{shop}}, {{guest_name}}."],
        ),
        "turns: [{say: Hello, expect: [{says: Welcome to Leaf & Kettle}]}]",
        ("'Welcome'", "{{shop}} is absent"),
    ),
    Planted(
        "an argument of a tool is changed",
        "clinic_front_desk",
        of_node("node_find_slots", "tool_arguments", "day", value="[[reason]]"),
        BOOK,
        ("'Find slots'", 'called with {"day":"a sore knee"}'),
    ),
    Planted(
        "the body of a request is changed",
        "booking",
        of_node("book", "body_parameters", value={"date": "{{day}}", "guest": "Ada"}),
        "turns: [{say: Hello, expect: [{variable: {name: runtime.booked.day, equals: Tuesday}}]}]",
        ("'Book'", "date", "Tuesday", "/book"),
    ),
    Planted(
        "the edge of an error is removed",
        "shop",
        without_edge("no price"),
        "mocks: [{tool: price, error: Out of order}]\nturns: [{say: Hello, expect: [{says: I am sorry}]}]",
        ("'Sorry'", "Out of order", "no edge"),
    ),
    Planted(
        "the output of a super node is renamed",
        "form",
        lambda workflow: at(workflow, "table")["encapsulated_workflow_config"]["node_configs"][0].update(
            result_runtime_variable_name="seats"
        ),
        "turns: [{say: We are 4., expect: [{says: I bring 8 chairs}]}]",
        (
            "'Tell'",
            "[[chairs]] is absent",
            "No node of the workflow sets runtime.chairs",
            "seats ('Table › Double')",
        ),
    ),
    Planted(
        "a companion is removed",
        "lab_results",
        without_edge("edge_lookup_in_background"),
        LAB,
        ("thread_lab.lab_status", "no value", "'result ready' to 'Read result'"),
    ),
    Planted(
        "a rule of the script does not match any more",
        "clinic_front_desk",
        lambda _: None,
        BOOK,
        ("'Intent desk'", "'book' to 'Booking intake'", "did not choose it|could choose"),
        lambda text: text.replace(r"\b(book|appointment|doctor|check-?up)\b", r"\b(reserve)\b"),
    ),
    Planted(
        "an edge is switched off",
        "shop",
        of_edge("dear", disabled=True),
        "turns: [{say: Hello, expect: [{edge_taken: dear}]}]",
        ("'dear' to 'Dear'", "the edge is disabled"),
    ),
    Planted(
        "a part of a result goes to another variable",
        "clinic_front_desk",
        of_node("node_book_slot", "tool_config", "result_variable_mappings", value=[]),
        BOOK,
        ("No node of the workflow sets runtime.booking_code", "'Book slot'"),
    ),
    Planted(
        "a tool gives another result",
        "shop",
        of_node("price", "tool_config", "code", value=PRICE.replace("12", "4")),
        "turns: [{say: Hello, expect: [{says: That is dear}]}]",
        ("'Price' ran", 'tool result {"amount":4}', "'dear' to 'Dear': false", "4 > 10"),
    ),
)


@contextmanager
def confirming_server() -> Iterator[str]:
    """Yield the address of a server that confirms the day of a booking."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"day": sent.get("day", "any day")}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def run_planted(
    planted: Planted, folder: Path, server: str, *, is_changed: bool
) -> dict[str, ScenarioResult]:
    """Run the scenario of a change beside another one; return both results by name."""
    if planted.base in SMALL:
        workflow, script = SMALL[planted.base](), SCRIPTS.get(planted.base, "")
    else:
        workflow, script = sample(planted.base)
    defaults = workflow["workflow_config"]["miscellaneous"].setdefault("default_dynamic_variables", {})
    defaults["server"] = server
    if is_changed:
        planted.change(workflow)
        script = planted.script(script)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flow.json").write_text(json.dumps(workflow), encoding="utf-8")
    head = "version: 1\nname: Changed\nworkflow: flow.json\n"
    if script:
        (folder / "flow.script.yaml").write_text(script, encoding="utf-8")
        head += "script: flow.script.yaml\n"
    (folder / "changed.scenario.yaml").write_text(head + planted.turns, encoding="utf-8")
    (folder / "other.json").write_text(json.dumps(document(static("hello", "Hello"))), encoding="utf-8")
    (folder / "other.scenario.yaml").write_text(
        "version: 1\nname: Other\nworkflow: other.json\nturns: [{say: Hi, expect: [{says: Hello}]}]\n",
        encoding="utf-8",
    )
    settings = Settings(outbound_read="simulated", outbound_write="live", outbound_private="allow")

    def refuse(name: str) -> Any:
        raise AssertionError(f"{name} is asked for")

    execution = SuiteExecution(lambda: ScenarioRunner(refuse, settings), lambda case, result: None)
    found = execution.run(load_cases([folder]), threading.Event())
    return {case.loaded.path.name.partition(".")[0]: result for case, result in found}


def report(result: ScenarioResult) -> str:
    """Return the text report of a scenario."""
    return "\n".join(failure_lines(result))
