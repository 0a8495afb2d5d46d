"""Claims of this process, renewed while their turns are executed."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from debugger.engine.outbound.gateway import NotAdmittedError, made_calls
from debugger.errors import ConflictError, StoreError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_codec import encode
from debugger.store import Store, TurnClaim, current_owner

_log = logging.getLogger(__name__)

_FIRST_SNAPSHOT_SECONDS = 0.05
"""The age of a turn at which its events are first stored: most turns have ended by then."""
_SNAPSHOT_SECONDS = 0.25
_SNAPSHOT_SHARE = 0.05
"""The share of the time that snapshots of one turn may take at most, however long the turn is."""
_MAX_RELEASE_PAUSE = 60.0
_IDLE_SECONDS = 2.0
"""How long the thread waits for another claim before it ends."""


@dataclass(slots=True, eq=False)
class HeldClaim:
    """A claim of a turn that this process executes."""

    claim: TurnClaim
    cancelled: threading.Event
    """Set to end the turn early."""
    ledger: list[JsonObject]
    """The calls to the outside so far, as the turn's gateway logs them."""
    events: list[Event] = field(default_factory=list)
    """The events so far; only appended to."""
    is_lost: bool = False
    """The claim has lapsed and was taken away: the result of the turn cannot be stored."""
    storing: threading.Lock = field(default_factory=threading.Lock)
    """Held while calls are read and stored: an older list must not replace a newer one."""
    failure: StoreError | None = None
    """The reason why a call of the turn was not made: it could not be stored before."""
    is_abandoned: bool = False
    """Its turn is not executed any more, and the database has not let the claim be released yet."""
    stored_events: int = 0
    next_look: float = 0.0
    """When the events are looked at again, on the monotonic clock, like the next."""
    renew_at: float = 0.0
    release_pause: float = _SNAPSHOT_SECONDS
    """Seconds until the next attempt to release the claim."""


class Leases:
    """Takes, renews and releases the claims of one backend; thread-safe.

    Args:
        store: Stores the claims.
        seconds: How long a claim is valid without being renewed.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        """Hold no claim yet; the thread that renews claims starts with the first one."""
        self.owner = current_owner()
        self._store = store
        self.seconds = seconds
        """The length of a lease."""
        self._renewal_seconds = min(seconds / 3, 3600)
        self._held: dict[str, HeldClaim] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, claim: TurnClaim, cancelled: threading.Event, ledger: list[JsonObject]) -> HeldClaim:
        """Claim a turn in the store, and renew the claim in a thread until it is dropped or released.

        Args:
            claim: The claim.
            cancelled: Set when another client stops the run.
            ledger: Gets the calls of the turn.

        Raises:
            ConflictError: See `TurnClaims.take`.
            NotFoundError: There is no such run.
        """
        self._store.claims.take(claim)
        now = time.monotonic()
        first_look = now + min(_FIRST_SNAPSHOT_SECONDS, self._renewal_seconds)
        held = HeldClaim(claim, cancelled, ledger, next_look=first_look, renew_at=now + self._renewal_seconds)
        with self._lock:
            self._held[claim.claim_id] = held
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._keep, name="turn-leases", daemon=True)
                self._thread.start()
        return held

    def drop(self, held: HeldClaim) -> None:
        """Renew a claim no more: its turn is stored."""
        with self._lock:
            self._held.pop(held.claim.claim_id, None)

    def announce_call(self, held: HeldClaim) -> None:
        """Store the calls of a turn before the last one of them is made.

        Once it has failed, it fails for every later call of the turn.

        Raises:
            NotAdmittedError: The claim has lapsed, or the calls cannot be stored: no further call is made.
        """
        if held.failure is None and not held.is_lost:
            try:
                with held.storing:
                    self._store.claims.announce(held.claim, encode(made_calls(held.ledger)))
            except ConflictError:
                held.is_lost = True
            except StoreError as error:
                held.failure = error
        if held.is_lost:
            raise NotAdmittedError("was not called: its turn was interrupted.")
        if held.failure is not None:
            raise NotAdmittedError("was not called: the call could not be put on record.")

    def release(self, held: HeldClaim) -> None:
        """Delete the claim of a turn that was abandoned or not stored.

        A turn that has called something goes to the journal of interrupted turns.

        Where the store fails, it is tried again later.
        """
        held.is_abandoned = True
        self._try_to_release(held)

    def request_stop(self, run_id: str) -> None:
        """Cancel the turn in progress of a run, whichever process executes it.

        One of this process is cancelled at once; for another process the request is written to the store.
        Without a turn in progress nothing happens.
        """
        own = [held for held in self._all() if held.claim.run_id == run_id]
        for held in own:
            held.cancelled.set()
        if not own:
            self._store.claims.request_stop(run_id)

    def interrupt_expired(self, run_id: str | None = None) -> int:
        """Interrupt turns whose owner has ended or is late, of one run or of all, and return their number.

        Claims held here are left out, and those of abandoned turns are released. See
        `TurnClaims.interrupt_expired`.
        """
        own = self._all()
        for held in own:
            if held.is_abandoned:
                self._try_to_release(held)
        return self._store.claims.interrupt_expired(run_id, but_for={held.claim.claim_id for held in own})

    def close(self) -> None:
        """Stop renewing, store the events so far, and end all leases: their turns count as interrupted.

        Errors of the store are logged.
        """
        self._closing.set()
        thread = self._thread
        if thread is not None:
            thread.join()
        for held in self._all():
            self._try_to_store(held, list(held.events), 0.0)
        self._held.clear()

    def _all(self) -> list[HeldClaim]:
        with self._lock:
            return list(self._held.values())

    def _keep(self) -> None:
        """Renew claims, store events of turns and cancel stopped ones, as the thread of the leases.

        It ends when `close` is called, or when no claim has been held for ``_IDLE_SECONDS``.
        """
        idle_since: float | None = None
        next_stops = 0.0
        while True:
            now = time.monotonic()
            held = self._all()
            if any(one.next_look <= now for one in held) and next_stops <= now:
                self._cancel_stopped(held)
                next_stops = now + _SNAPSHOT_SECONDS
            for one in held:
                if one.next_look <= now:
                    self._look(one, now)
            now = time.monotonic()
            idle_since = None if held else idle_since or now
            with self._lock:
                is_over = not self._held and idle_since is not None and now - idle_since > _IDLE_SECONDS
                if is_over or self._closing.is_set():
                    self._thread = None
                    return
            due = min((one.next_look for one in held), default=now + _FIRST_SNAPSHOT_SECONDS)
            self._closing.wait(max(due - now, 0.01))

    def _cancel_stopped(self, held: list[HeldClaim]) -> None:
        """Set `cancelled` of the turns that clients of other processes stop.

        Where the requests cannot be read, a warning is logged.
        """
        try:
            stopped = self._store.claims.stop_requested()
        except StoreError as error:
            _log.warning("requests to stop turns are not read: %s", error)
            return
        for one in held:
            if one.claim.claim_id in stopped:
                one.cancelled.set()

    def _look(self, held: HeldClaim, now: float) -> None:
        """Store new events of a turn or renew its claim when due, and set when to look again.

        An abandoned turn is released instead; where that fails, the pause before the next attempt doubles.
        """
        if held.is_abandoned:
            self._try_to_release(held)
            held.next_look = now + held.release_pause
            held.release_pause = min(2 * held.release_pause, _MAX_RELEASE_PAUSE)
            return
        events = list(held.events) if len(held.events) > held.stored_events else []
        if events or held.renew_at <= now:
            self._try_to_store(held, events, self.seconds)
            held.renew_at = now + self._renewal_seconds
        took = time.monotonic() - now
        pause = max(_SNAPSHOT_SECONDS, took / _SNAPSHOT_SHARE)
        held.next_look = now + min(pause, self._renewal_seconds)

    def _try_to_release(self, held: HeldClaim) -> None:
        """Release the claim of an abandoned turn, or move a turn that made calls to the journal; drop it.

        Where the store fails, a warning is logged, and the claim is kept.
        """
        calls = made_calls(held.ledger)
        try:
            if calls:
                self._store.claims.abandon(held.claim, encode(calls))
            else:
                self._store.claims.release(held.claim)
        except StoreError as error:
            _log.warning("the claim of a turn of run %s is not released yet: %s", held.claim.run_id, error)
            return
        self.drop(held)

    def _try_to_store(self, held: HeldClaim, events: list[Event], lease_seconds: float) -> None:
        """Renew a claim, and store the events to be recorded and the calls of its turn.

        A claim that has lapsed is marked as lost and dropped; its events count as stored all the same. Where
        the store fails, a warning is logged, and the claim stays as it was: the next renewal tries again.

        Args:
            held: The claim.
            events: All events so far; empty leaves the stored ones.
            lease_seconds: How long the claim is valid from now on.
        """
        persisted = [event.to_wire() for event in events if event.is_persisted]
        try:
            with held.storing:
                calls = made_calls(held.ledger)
                is_held = self._store.claims.renew(
                    held.claim,
                    lease_seconds,
                    is_first=held.claim.begins_run and not held.stored_events,
                    events_json=encode(persisted) if events else b"",
                    event_count=len(persisted),
                    calls_json=encode(calls) if calls else None,
                )
        except StoreError as error:
            _log.warning("the claim of a turn of run %s is not renewed: %s", held.claim.run_id, error)
            return
        if not is_held:
            held.is_lost = True
            self.drop(held)
        held.stored_events = len(events) or held.stored_events
