"""Faults drawn from a seed, for the turns of a campaign."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.faults.fault import CONNECTION, EXECUTE, FRAME, HANDSHAKE, RUN, RUNS, SESSION, TURN_FRAME, Fault

EVENTS_OF_A_TURN = 18
"""The frames of the campaign's workflow that a fault may strike; a turn has some more."""
_READS_STRUCK = 0.3
"""The share of struck turns in which reads of the record are struck, too."""
_PAGE = b"<html><title>Sign in</title></html>"


@dataclass(frozen=True)
class Timing:
    """The timeouts of the client, by which the faults are scaled."""

    timeout: float
    connect_timeout: float
    reconciliation_timeout: float
    away: float
    """What the seconds without a network are multiplied with."""


SCALED_DOWN = Timing(timeout=1.0, connect_timeout=1.0, reconciliation_timeout=2.0, away=0.2)
FULL = Timing(timeout=2.0, connect_timeout=2.0, reconciliation_timeout=10.0, away=1.0)


@dataclass(frozen=True)
class Strike:
    """Faults and actions that strike one turn."""

    name: str
    """By which the outcomes are counted."""
    faults: tuple[Fault, ...] = ()
    action: str = ""
    """What another client does to the run: ``stop``, ``delete`` or ``continue``."""
    faults_first: bool = False
    """Whether it does so once a fault has struck the turn, instead of right before the turn."""


NOTHING = Strike("nothing")


def draw(rng, channel, timing):
    """Return what strikes a turn of a channel: ``rest`` or ``socket``."""
    strikes = _strikes(rng, timing) if channel == "rest" else _socket_strikes(rng, timing)
    name = rng.choices(list(strikes), [weight for _, weight in strikes.values()])[0]
    faults = strikes[name][0]
    if rng.random() < _READS_STRUCK:
        faults = (*faults, *_on_reads(rng, timing))
    first, _, then = name.partition(", then ")
    action = (then or first).partition(" by another client")
    return Strike(name, faults, action[0] if action[1] else "", faults_first=bool(then))


def _strikes(rng, timing):
    late = timing.timeout + timing.reconciliation_timeout + 0.5

    def on(kind, **fields):
        return (Fault(kind=kind, target=EXECUTE, **fields),)

    def status(code, **fields):
        return on("replace answer", status=code, content=b'{"detail": "by the proxy"}', **fields)

    before, after = {"is_forwarded": False}, {"is_forwarded": True}
    either = {"is_forwarded": rng.random() < 0.5}
    resets = {"is_reset": rng.random() < 0.5}
    return {
        "short delay": (on("delay request", seconds=0.05), 1),
        "request delayed beyond the timeout": (on("delay request", seconds=1.3 * timing.timeout), 1),
        "request delayed beyond the reconciliation": (on("delay request", seconds=late), 0.2),
        "answer delayed beyond the timeout": (on("delay answer", seconds=1.3 * timing.timeout), 1),
        "refused": (_refuse(0.3), 1),
        "refused for long": (_refuse(5 * timing.away), 1),
        "reset on accept": (_reset(), 1),
        "dropped before": (on("drop", **before, **resets), 2),
        "dropped after": (on("drop", **after, **resets), 2),
        "cut answer": (on("cut answer"), 1),
        "cut answer in chunks": (on("cut answer", is_chunked=True), 1),
        "duplicate answer": (on("duplicate answer"), 2),
        "duplicate request": (on("duplicate request", seconds=rng.choice([0, 0.005, 0.1])), 2),
        "half JSON": (on("half json"), 1),
        "empty 200": (on("replace answer", **either), 1),
        "HTML 200": (on("replace answer", content=_PAGE, content_type="text/html", **either), 1),
        "429 with a wait": (status(429, retry_after="1", **before), 1),
        "429 without a wait": (status(429, **before), 1),
        "429 five times": (status(429, **before) * 5, 0.3),
        **{f"{code} before": (status(code, **before), 1) for code in (500, 502, 503, 504)},
        **{f"{code} after": (status(code, **after), 1) for code in (500, 502, 503, 504)},
        "slow drip": (on("drip", seconds=0.7 * timing.timeout), 1),
        "long drip": (on("drip", seconds=1.5 * timing.timeout), 0.3),
        "timeout before": (on("no answer", **before), 1),
        "timeout after": (on("no answer", **after), 1),
        "401": (status(401, **before), 1),
        "stop by another client": ((), 0.7),
        "delete by another client": ((), 0.7),
        "continue by another client": ((), 1),
        **_then_by_another_client("answer lost", on("drop", **after)),
    }


def _socket_strikes(rng, timing):
    number = rng.randint(2, EVENTS_OF_A_TURN)

    def on(kind, frame, **fields):
        return (Fault(kind=kind, target=FRAME, frame=frame, **fields),)

    def unsent(kind, **fields):
        return (Fault(kind=kind, target=TURN_FRAME, **fields),)

    closes = {}
    for code in (1001, 1011, 4401, 4429):
        closes[f"{code} instead of the turn"] = (unsent("close", status=code), 0.5)
        closes[f"{code} after the acknowledgement"] = (on("close", 1, status=code), 0.5)
        closes[f"{code} mid-turn"] = (on("close", number, status=code), 0.5)
        if code != 4429:  # which says that the turn was not executed
            closes[f"{code} before the acknowledgement"] = (on("close", 0, status=code), 0.5)
    handshake = Fault(kind="replace answer", target=HANDSHAKE, status=503, is_forwarded=False)
    return {
        "cut before the acknowledgement": (on("cut", 0, is_reset=rng.random() < 0.5), 2),
        "cut after the acknowledgement": (on("cut", 1, is_reset=rng.random() < 0.5), 2),
        "cut mid-turn": (on("cut", number, is_reset=rng.random() < 0.5), 2),
        "cut, network away for 1 s": (on("cut", number, seconds=timing.away), 1),
        "cut, network away for 5 s": (on("cut", number, seconds=5 * timing.away), 1),
        "duplicate frame": (on("duplicate", rng.randint(1, EVENTS_OF_A_TURN)), 2),
        "lost acknowledgement": (on("lose", 0), 1),
        "lost frame": (on("lose", number), 2),
        "half frame": (on("half", number), 2),
        "silence from the start": (on("silence", 0), 1),
        "silence": (on("silence", number), 1),
        **closes,
        "lost turn frame": (unsent("lose"), 1),
        "turn frame cut": (unsent("cut"), 1),
        "duplicate turn frame": (unsent("duplicate"), 1),
        "delayed turn frame": (unsent("delay", seconds=1.3 * timing.timeout), 1),
        "refused": (_refuse(0.3), 1),
        "reset on accept": (_reset(), 0.5),
        "no token": ((Fault(kind="drop", target=SESSION),), 0.5),
        "handshake refused": ((handshake,), 0.3),
        "stop by another client": ((), 0.7),
        "delete by another client": ((), 0.7),
        "continue by another client": ((), 1),
        **_then_by_another_client("cut", on("cut", 1)),
    }


def _then_by_another_client(lost, faults):
    """Lose a turn's response, then let another client act.

    It stops, deletes or continues the run.
    """
    weights = {"stop": 0.5, "delete": 0.5, "continue": 1}
    return {f"{lost}, then {action} by another client": (faults, weights[action]) for action in weights}


def _refuse(seconds):
    return (Fault(kind="refuse", target=CONNECTION, seconds=seconds),)


def _reset():
    return (Fault(kind="reset", target=CONNECTION),)


def _on_reads(rng, timing):
    """Return faults of the reads that reconcile a turn."""
    kinds = (
        Fault(kind="drop", target=RUN),
        Fault(kind="drop", target=RUN, is_forwarded=False),
        Fault(kind="replace answer", target=RUN, status=500, content=b"{}"),
        Fault(kind="replace answer", target=RUN, status=503, content=b"{}"),
        Fault(kind="replace answer", target=RUN, status=429, content=b"{}", retry_after="1"),
        Fault(kind="replace answer", target=RUN),
        Fault(kind="replace answer", target=RUN, content=_PAGE, content_type="text/html"),
        Fault(kind="half json", target=RUN),
        Fault(kind="cut answer", target=RUN),
        Fault(kind="duplicate answer", target=RUN),
        Fault(kind="no answer", target=RUN),
        Fault(kind="delay answer", target=RUN, seconds=0.5 * timing.timeout),
    )
    faults = rng.sample(kinds, rng.randint(1, 3))
    return [fault for struck in faults for fault in (struck, replace(struck, target=RUNS))]
