"""A WebSocket through the proxy, with faults of its frames."""

from __future__ import annotations

import asyncio
import json
import secrets

from tests.faults.fault import FRAME, TURN_FRAME
from tests.faults.http_faults import close
from tests.faults.http_messages import brief_json
from tests.faults.socket_frames import CLOSE, close_frame, read_units, text_frame


class _Broken(Exception):
    """Connection cut by a fault."""


class SocketRelay:
    """Copies the frames of one socket to and fro.

    Args:
        proxy: Knows the faults that are armed.
        client: The reader and the writer of the client's connection.
        server: The same of the server's.
    """

    def __init__(self, proxy, client, server):
        self._proxy = proxy
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._frame = 0
        """Data frames of the server since the client's last one."""
        self._is_silent = False
        """Whether nothing more is sent to the client."""
        self._holds = False
        """Whether the frames of the turn are held until the next one."""
        self._swapped = None
        """A frame that is sent after the one that follows it."""
        self._awaits_close = False
        """Whether the proxy has sent a close, which the client answers."""

    async def run(self):
        """Copy until one side closes the connection."""
        sides = [asyncio.create_task(side()) for side in (self._copy_up, self._copy_down)]
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            if sides[1].done() and sides[1].exception() is None and self._is_silent:
                await asyncio.wait(sides[:1])
        finally:
            close(self._to_client)
            close(self._to_server)
            for side in sides:
                side.cancel()
            ended = await asyncio.gather(*sides, return_exceptions=True)
        expected = (_Broken, ConnectionError, asyncio.CancelledError)
        for error in ended:
            if isinstance(error, BaseException) and not isinstance(error, expected):
                raise error

    async def _copy_up(self):
        async for unit in read_units(self._from_client):
            if unit.is_control:
                if unit.opcode == CLOSE and self._awaits_close:
                    return
                await _write(self._to_server, unit.raw)
                continue
            self._frame, self._holds = 0, False
            self._proxy.note(f"client's frame {_brief(unit.content)}")
            held, self._proxy.held[:] = list(self._proxy.held), []
            for raw in held:
                await _write(self._to_client, raw)
            fault = self._proxy.take(TURN_FRAME, f"{len(unit.content)} bytes")
            if fault is None:
                await _write(self._to_server, unit.raw)
            else:
                await self._strike_up(fault, unit)

    async def _strike_up(self, fault, unit):
        match fault.kind:
            case "lose":
                return
            case "duplicate":
                await _write(self._to_server, unit.raw * 2)
            case "delay":
                await asyncio.sleep(fault.seconds)
                await _write(self._to_server, unit.raw)
            case _:
                await self._end(fault)

    async def _copy_down(self):
        async for unit in read_units(self._from_server):
            if self._is_silent:
                continue
            if unit.is_control:
                await _write(self._to_client, unit.raw)
                continue
            fault = self._proxy.take(FRAME, f"frame {self._frame}", frame=self._frame)
            if not self._frame or fault is not None or _is_last(unit.content):
                self._proxy.note(f"server's frame {self._frame} {_brief(unit.content)}")
            if not self._frame:
                self._remember_run(unit.content)
            self._frame += 1
            if self._holds:
                self._proxy.held.append(unit.raw)
            elif fault is None:
                await _write(self._to_client, unit.raw)
                if self._swapped is not None:
                    swapped, self._swapped = self._swapped, None
                    await _write(self._to_client, swapped)
            else:
                await self._strike_down(fault, unit)

    def _remember_run(self, content):
        """Keep the run that an acknowledgement names."""
        run_id = json.loads(content).get("workflow_run_id")
        if run_id is not None and run_id not in self._proxy.runs:
            self._proxy.runs.append(run_id)

    async def _strike_down(self, fault, unit):
        match fault.kind:
            case "lose":
                return
            case "duplicate":
                await _write(self._to_client, unit.raw * 2)
            case "silence":
                self._is_silent = True
            case "swap":
                self._swapped = unit.raw
            case "hold":
                self._holds = True
                self._proxy.held.append(unit.raw)
            case "garbage":
                await _write(self._to_client, text_frame(b"\x00\x01 no JSON"))
            case "foreign run":
                others = [run_id for run_id in self._proxy.runs if run_id.encode() not in unit.content]
                named = {
                    **json.loads(unit.content),
                    "workflow_run_id": (others or [secrets.token_hex(12)])[-1],
                }
                await _write(self._to_client, text_frame(json.dumps(named).encode()))
            case "half":
                await _write(self._to_client, unit.raw[: len(unit.raw) // 2])
                raise _Broken
            case _:
                await self._end(fault)

    async def _end(self, fault):
        """Cut the connection, or close it as a gateway does.

        The network may be away for a while.
        """
        if fault.kind == "close":
            self._is_silent = self._awaits_close = True
            close(self._to_server)
            await _write(self._to_client, close_frame(fault.status, fault.reason))
            return
        assert fault.kind == "cut", f"no fault of frames is called {fault.kind!r}"
        if fault.seconds:
            self._proxy.go_away(fault.seconds)
        close(self._to_client, is_reset=fault.is_reset)
        raise _Broken


async def _write(writer, data):
    writer.write(data)
    await writer.drain()


def _brief(content):
    try:
        return brief_json(json.loads(content))
    except ValueError:
        return repr(content[:80])


def _is_last(content):
    return any(
        kind in content for kind in (b'"workflow_ready_for_input"', b'"end_workflow"', b'"workflow_error"')
    )
