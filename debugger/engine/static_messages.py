"""Fixed messages: which of several is spoken, and how."""

from __future__ import annotations

from debugger.engine.state import RunState
from debugger.engine.world import World
from debugger.protocol.events import AssistantResponseEvent
from debugger.protocol.workflow import StaticMessagesConfig


def pick_message(config: StaticMessagesConfig, key: str, state: RunState, world: World) -> str | None:
    """Choose one message, variables not yet filled in.

    Args:
        config: The messages and the mode.
        key: Whose messages they are; a sequence goes on per key and run (``platform/engine.md`` U-8).
        state: Remembers where a sequence stands.
        world: Chance, for the random mode.

    Returns:
        The text, or ``None`` when there is none. A sequence stays on its last text (2.3).
    """
    texts = config.static_messages
    if not texts:
        return None
    if config.static_messages_selection_mode == "random":
        return world.random.choice(texts)
    index = min(state.message_positions.get(key, -1) + 1, len(texts) - 1)
    state.message_positions[key] = index
    return texts[index]


def fixed_response(text: str, world: World, *, message_id: str = "") -> AssistantResponseEvent:
    """The event of a fixed text that is spoken.

    Args:
        text: What is said, variables filled in.
        world: Makes an id, where the text is no message's yet.
        message_id: The message that it is the text of, whose id the event has (``platform/wire.md`` 3.5).
    """
    return AssistantResponseEvent(
        logical_id=message_id or f"assistant_message_{world.uuid()}",
        content=text,
        response_metadata={"message_type": "static"},
    )
