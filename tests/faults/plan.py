"""Faults drawn from a seed, for the turns of a campaign.

No turn loses its answer while the whole record lags (runs, turns and status): the record says then that the
run is at rest without the turn, which is what it says of a turn that never arrived, so that no client can
tell the two apart. For the same reason a struck turn begins once an earlier lag is over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from tests.faults.fault import CONNECTION, EXECUTE, FRAME, HANDSHAKE, RUN, RUNS, SESSION, TURN_FRAME, Fault
from tests.faults.http_faults import CHANGES

EVENTS_OF_A_TURN = 8
"""The frames of a turn that a fault may strike; a turn has some more."""
_READS_STRUCK = 0.15
"""The share of struck turns in which reads of the record are struck, too."""
_ALL = 10_000
"""As often as a fault can strike in a turn."""
_PAGE = b"<html><title>Sign in</title></html>"
_BAD_GATEWAY = b"<html><head><title>Bad gateway</title></head></html>"
_SEVERAL = "several"


@dataclass(frozen=True)
class Timing:
    """Seconds of the client, its user and the faults, which are scaled together."""

    scale: float

    @property
    def timeout(self):
        """Return the timeout of the client: of a turn, a connection and a reconciliation each."""
        return 2.0 * self.scale

    @property
    def away(self):
        """Return the shortest time without a network."""
        return 0.4 * self.scale

    @property
    def lag(self):
        """Return by how much a record lags behind: less than a user looks for a turn."""
        return 5.0 * self.scale

    @property
    def slow(self):
        """Return how long a slow turn takes."""
        return 3.0 * self.scale

    @property
    def max_age(self):
        """Return for how long a cache serves an answer."""
        return 3.0 * self.scale

    @property
    def pause(self):
        """Return how long a user waits before a look."""
        return 1.2 * self.scale


FULL = Timing(1.0)
SHORT = Timing(0.5)
"""What every test run repeats."""


@dataclass(frozen=True)
class Strike:
    """Faults and actions that strike one turn."""

    name: str
    """By which the outcomes are counted."""
    faults: tuple[Fault, ...] = ()
    action: str = ""
    """What another client does to the run: see `other_client.ACTIONS`."""
    faults_first: bool = False
    """Whether it does so once a fault has struck the turn, instead of right before the turn."""
    order: str = ""
    """What the server does in the turn: ``die`` once it is executed and not on record yet, ``slow``."""
    restarts: bool = False
    """Whether the server is killed and started again before the turn."""
    lag: str = ""
    """How the record lags: ``pairs`` (the status does not) or ``whole``."""
    weight: float = 1.0

    @property
    def is_ambiguous(self):
        """Return whether nobody can tell from a record without ids what became of the turn.

        The same text may be there of another client or of a copy; the turn may have been executed without a
        record; the server could not be reached meanwhile and may have lost what was not on record; or the
        request may be on its way for longer than anybody waits.
        """
        kinds = {(fault.kind, fault.target) for fault in self.faults}
        late = {
            ("delay request", EXECUTE),
            ("no answer", EXECUTE),
            ("delay", TURN_FRAME),
            ("lose", TURN_FRAME),
        }
        copied = {("duplicate request", EXECUTE), ("duplicate", TURN_FRAME)}
        is_away = ("refuse", CONNECTION) in kinds or any(
            fault.kind == "cut" and fault.seconds for fault in self.faults
        )
        is_dead = self.order == "die" or self.restarts
        return self.action in ("repeat", "start") or is_dead or is_away or bool(kinds & (late | copied))

    @property
    def needs_run(self):
        """Return whether it cannot strike before the run is known."""
        return self.action in ("stop", "delete", "continue", "repeat")


NOTHING = Strike("nothing")


def _json(**body):
    return json.dumps(body).encode(), "application/json"


def _page(content):
    return content, "text/html"


STATUSES = {
    "302": (302, *_page(b""), ("Location", "/login")),
    "308": (308, *_page(b""), ("Location", "/elsewhere")),
    "400 message": (400, *_json(message="Bad request")),
    "401": (401, *_json(message="Unauthorized")),
    "403": (403, *_json(message="Forbidden")),
    "403 page": (403, *_page(_PAGE)),
    "404 page": (404, *_page(_PAGE)),
    "404 session": (404, *_json(detail="Session not found")),
    "404 message": (404, *_json(message="no Route matched with those values")),
    "405": (405, *_json(detail="Method Not Allowed")),
    "408": (408, *_json(message="Request Timeout")),
    "409 foreign": (409, *_json(message="Conflict")),
    "413": (413, *_page(_BAD_GATEWAY)),
    "422 message": (422, *_json(message="Unprocessable")),
    "425": (425, *_json(message="Too Early")),
    "429": (429, *_json(message="API rate limit exceeded")),
    "429 with a wait": (429, *_json(message="API rate limit exceeded"), ("Retry-After", "1")),
    "500": (500, *_json(detail="Internal Server Error")),
    "501": (501, *_json(message="Not Implemented")),
    "502": (502, *_page(_BAD_GATEWAY)),
    "503": (503, *_json(detail="Service unavailable")),
    "504": (504, *_json(message="Endpoint request timed out")),
    "200 page": (200, *_page(_PAGE)),
    "200 empty": (200, b"", "application/json"),
    "202": (202, *_json(message="Accepted")),
}
"""Answers of gateways that say nothing about the turn."""
REFUSALS = {
    "400 rule": (
        400,
        *_json(message="Invalid companion configuration", error="thread_id must be unique per fork"),
    ),
    "422 list": (
        422,
        *_json(detail=[{"type": "missing", "loc": ["body", "run_input"], "msg": "Field required"}]),
    ),
    "500 no start": (500, *_json(detail="No start node found")),
}
"""Answers by which the API refuses a turn; no gateway gives them to a turn that was executed."""
_CLOSES = (1000, 1001, 1008, 1011, 1012, 1013, 4401, 4404, 4429)
_READS = (RUN, RUNS)


def draw(rng, channel, timing, *, is_first=False):
    """Return what strikes a turn of a channel: ``rest`` or ``socket``."""
    made = [
        *(_of_requests if channel == "rest" else _of_frames)(rng, timing),
        *_of_both(rng, timing, channel),
    ]
    found = [strike for strike in made if not (is_first and strike.needs_run)]
    strike = rng.choices(found, [strike.weight for strike in found])[0]
    if rng.random() < _READS_STRUCK and not any(fault.target in _READS for fault in strike.faults):
        strike = replace(strike, faults=(*strike.faults, *_on_reads(rng, timing)))
    return strike


def _of_requests(rng, timing):
    late = 2.25 * timing.timeout
    resets = {"is_reset": rng.random() < 0.5}
    either = {"is_forwarded": rng.random() < 0.5}

    def one(name, kind, weight=1.0, **fields):
        return Strike(name, (Fault(kind=kind, target=EXECUTE, **fields),), weight=weight)

    for name in STATUSES:
        yield Strike(f"{name} before", (_status(name, is_forwarded=False),), weight=0.5)
        yield Strike(f"{name} after", (_status(name, is_forwarded=True),), weight=0.7)
    for name in REFUSALS:
        yield Strike(f"{name} before", (_status(name, is_forwarded=False),), weight=0.3)
    yield Strike("504, executed later", (_status("504", is_forwarded=True, is_awaited=False),), order="slow")
    yield Strike("429 five times", (replace(_status("429", is_forwarded=False), times=5),), weight=0.3)
    yield one("short delay", "delay request", seconds=0.05)
    yield one("request delayed beyond the timeout", "delay request", seconds=1.3 * timing.timeout)
    yield one("request delayed beyond the reconciliation", "delay request", 0.3, seconds=late)
    yield one("answer delayed beyond the timeout", "delay answer", seconds=1.3 * timing.timeout)
    yield one("dropped before", "drop", 2.0, is_forwarded=False, **resets)
    yield one("dropped after", "drop", 2.0, **resets)
    yield one("timeout before", "no answer", 0.5, is_forwarded=False)
    yield one("timeout after", "no answer", 1.0)
    yield one("cut answer", "cut answer")
    yield one("cut answer in chunks", "cut answer", is_chunked=True)
    yield one("half JSON", "half json")
    yield one("broken gzip", "broken gzip", 1.5)
    yield one("slow drip", "drip", seconds=0.7 * timing.timeout)
    yield one("long drip", "drip", 0.3, seconds=1.5 * timing.timeout)
    yield one("request delivered twice", "duplicate request", 1.5, seconds=rng.choice([0, 0.005, 0.1]))
    again = {"seconds": rng.choice([0, 0.1]), "is_answered": False}
    yield one("request delivered twice, answer lost", "duplicate request", **again)
    yield one("former answer", "duplicate answer", 1.5, **either)
    yield one("former answer by a cache", "duplicate answer", headers=(("Age", "60"),), **either)
    for change in CHANGES:
        yield one(f"events {change}", "change events", 0.7, change=change)


def _of_frames(rng, timing):
    number = rng.randint(2, EVENTS_OF_A_TURN)

    def one(name, kind, frame, weight=1.0, **fields):
        return Strike(name, (Fault(kind=kind, target=FRAME, frame=frame, **fields),), weight=weight)

    def unsent(name, kind, weight=1.0, **fields):
        return Strike(name, (Fault(kind=kind, target=TURN_FRAME, **fields),), weight=weight)

    for code in _CLOSES:
        yield unsent(f"{code} instead of the turn", "close", 0.3, status=code)
        yield one(f"{code} before the acknowledgement", "close", 0, 0.4, status=code)
        yield one(f"{code} after the acknowledgement", "close", 1, 0.3, status=code)
        yield one(f"{code} mid-turn", "close", number, 0.3, status=code)
    resets = {"is_reset": rng.random() < 0.5}
    yield one("cut before the acknowledgement", "cut", 0, 2.0, **resets)
    yield one("cut after the acknowledgement", "cut", 1, 2.0, **resets)
    yield one("cut mid-turn", "cut", number, 2.0, **resets)
    yield one("cut, network away", "cut", number, seconds=rng.choice([1, 5]) * timing.away)
    yield one("frame twice", "duplicate", rng.randint(1, EVENTS_OF_A_TURN), 1.5)
    yield one("frames swapped", "swap", rng.randint(0, EVENTS_OF_A_TURN), 1.5)
    yield one("lost acknowledgement", "lose", 0, 1.5)
    yield one("lost frame", "lose", number, 1.5)
    yield one("half frame", "half", number)
    yield one("frame without JSON", "garbage", number)
    yield one("silence from the start", "silence", 0)
    yield one("silence", "silence", number)
    yield one("frames held until the next turn", "hold", rng.choice([0, number]), 1.5)
    yield one("foreign acknowledgement", "foreign run", 0, 1.5)
    foreign = Fault(kind="foreign run", target=FRAME, frame=0)
    yield Strike(
        "foreign acknowledgement, then cut", (foreign, Fault(kind="cut", target=FRAME, frame=1)), weight=1.5
    )
    yield unsent("lost turn frame", "lose", 0.5)
    yield unsent("turn frame cut", "cut")
    yield unsent("turn frame delivered twice", "duplicate", 1.5)
    twice = Fault(kind="duplicate", target=TURN_FRAME)
    cut = Fault(kind="cut", target=FRAME, frame=number)
    yield Strike("turn frame delivered twice, then cut", (twice, cut))
    yield unsent("delayed turn frame", "delay", seconds=1.3 * timing.timeout)
    yield Strike("no token", (Fault(kind="drop", target=SESSION),), weight=0.5)
    for name in ("403 page", "404 message", "429", "500"):
        refused = replace(_status(name, is_forwarded=False), target=SESSION)
        yield Strike(f"token {name}", (refused,), weight=0.1)
    for name in ("302", "401", "403 page", "404 page", "429", "502", "503"):
        refused = replace(_status(name, is_forwarded=False), target=HANDSHAKE)
        yield Strike(f"handshake {name}", (refused,), weight=0.1)
        then = rng.choice(list(STATUSES))
        yield Strike(
            f"handshake {name}, then {_SEVERAL} after",
            (refused, _status(then, is_forwarded=True)),
            weight=0.2,
        )


def _of_both(rng, timing, channel):
    """Yield what strikes either channel: the network, the server, the record and other clients."""
    target = {"target": EXECUTE} if channel == "rest" else {"target": FRAME, "frame": rng.choice([0, 1, 4])}
    lost = Fault(kind="drop" if channel == "rest" else "cut", **target)
    yield Strike("refused", (Fault(kind="refuse", target=CONNECTION, seconds=0.3),))
    yield Strike(
        "refused for long", (Fault(kind="refuse", target=CONNECTION, seconds=5 * timing.away),), weight=0.5
    )
    yield Strike("reset on accept", (Fault(kind="reset", target=CONNECTION),), weight=0.5)
    yield Strike("server restarted before", restarts=True)
    yield Strike("server killed between claim and record", order="die", weight=0.5)
    yield Strike("slow turn", order="slow")
    for lag in ("pairs", "whole"):
        yield Strike(f"record lags ({lag})", lag=lag)
    yield Strike("lost, record lags (pairs)", (lost,), lag="pairs", weight=2.0)
    for heeds, name in ((True, "asks for no-cache"), (False, "gives an Age")):
        caches = tuple(
            Fault(kind="cache", target=target, times=_ALL, seconds=timing.max_age, heeds_no_cache=heeds)
            for target in _READS
        )
        yield Strike(f"cached reads ({name})", caches)
        yield Strike(f"lost, cached reads ({name})", (lost, *caches), weight=1.5)
    for action, weight in (
        ("stop", 0.5),
        ("delete", 0.5),
        ("continue", 1.0),
        ("repeat", 2.0),
        ("start", 2.0),
    ):
        yield Strike(f"another client: {action}", action=action, weight=weight)
        yield Strike(
            f"lost, then another client: {action}", (lost,), action=action, faults_first=True, weight=weight
        )


def _status(name, **fields):
    status, content, content_type, *headers = (STATUSES | REFUSALS)[name]
    return Fault(
        kind="replace answer",
        target=EXECUTE,
        status=status,
        content=content,
        content_type=content_type,
        headers=tuple(headers),
        **fields,
    )


def _on_reads(rng, timing):
    """Return faults of the reads that reconcile a turn."""
    kinds = (
        Fault(kind="drop", target=RUN),
        Fault(kind="drop", target=RUN, is_forwarded=False),
        Fault(kind="replace answer", target=RUN, status=500, content=b"{}"),
        Fault(kind="replace answer", target=RUN, status=503, content=b"{}"),
        Fault(kind="replace answer", target=RUN, status=429, content=b"{}", headers=(("Retry-After", "1"),)),
        Fault(kind="replace answer", target=RUN),
        Fault(kind="replace answer", target=RUN, content=_PAGE, content_type="text/html"),
        Fault(kind="half json", target=RUN),
        Fault(kind="broken gzip", target=RUN),
        Fault(kind="cut answer", target=RUN),
        Fault(kind="duplicate answer", target=RUN),
        Fault(kind="no answer", target=RUN),
        Fault(kind="delay answer", target=RUN, seconds=0.5 * timing.timeout),
    )
    faults = rng.sample(kinds, rng.randint(1, 3))
    return [fault for struck in faults for fault in (struck, replace(struck, target=RUNS))]
