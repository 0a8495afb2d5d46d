"""Judgements of a conversation by a model."""

from __future__ import annotations

import threading

from debugger.backends.embedded.gateway_factory import GatewayFactory
from debugger.backends.embedded.model_selection import default_llm
from debugger.engine.environment import Environment
from debugger.engine.mocks.interceptor import FailingModel, Interceptor
from debugger.engine.models.base import Model, ModelError, Prompt, TransitionOption
from debugger.engine.models.invoke import invoke
from debugger.engine.models.providers import ProviderModel
from debugger.errors import RunError, SettingsError
from debugger.protocol.base import JsonObject
from debugger.protocol.messages import ai_message, human_message
from debugger.scenarios.conversation import Conversation
from debugger.scenarios.model import Judge
from debugger.settings import Settings

_SYSTEM = (
    "You check a conversation between a user and an agent, which you see as the chat so far. "
    "Judge by it alone whether the statement is true; where it cannot be seen to be true, it is not."
)


class ConversationJudge:
    """Judges whether statements are true of conversations.

    Args:
        settings: The model: ``default_model``, where ``responder`` is ``model``.
        model: The model, instead of that one.
    """

    def __init__(self, settings: Settings, model: Model | None = None) -> None:
        self._settings = settings
        self._model = model

    def __call__(self, judge: Judge, run: Conversation) -> tuple[bool, str]:
        """Return whether a statement is true, and the model's reason, which may be empty.

        The model is called as the settings' policies allow.

        Raises:
            SettingsError: No model is configured.
            RunError: The model gave no answer.
        """
        model, llm = self._model, None
        if model is None:
            llm = self._configuration(judge)
            model = ProviderModel(
                FailingModel("calls to models are simulated"),
                default_llm=llm,
                refuses_private=self._settings.outbound_private == "refuse",
            )
        environment = Environment()
        answer = invoke(
            model,
            _prompt(judge.criterion, run, llm),
            environment,
            outbound=Interceptor().guard(GatewayFactory(self._settings, environment).for_turn()()),
            cancelled=threading.Event(),
        )
        try:
            while True:
                next(answer)
        except StopIteration as stop:
            reply = stop.value
        except ModelError as error:
            raise RunError(f"The model did not judge {judge.criterion!r}: {error}.") from error
        return reply.chosen is not None, reply.reason

    def _configuration(self, judge: Judge) -> JsonObject:
        """Return the configuration of the model that judges, under the name that a judgement gives.

        Raises:
            SettingsError: The settings name no model, or answers are not those of models.
        """
        default = default_llm(self._settings.default_model) if self._settings.responder == "model" else None
        if default is None:
            raise SettingsError(
                f"No model can judge {judge.criterion!r}: none is configured.",
                advice="Set WORKFLOW_DEBUGGER_RESPONDER=model and WORKFLOW_DEBUGGER_DEFAULT_MODEL.",
            )
        return {**default, "model": judge.model} if judge.model else default


def _prompt(criterion: str, run: Conversation, llm: JsonObject | None) -> Prompt:
    """Return the prompt that offers a criterion as the only choice, with what was said as the chat."""
    said = [
        ai_message(message.text, message_id=f"message_{index}")
        if message.role == "agent"
        else human_message(message.text)
        for index, message in enumerate(run.messages)
        if message.role in ("agent", "user")
    ]
    return Prompt(
        kind="judge",
        node_logical_id="judge",
        node_name="judge",
        system=_SYSTEM,
        message=run.logs[-1].message,
        history=lambda: said,
        variables={},
        visit=1,
        choices=(TransitionOption("true", criterion, "true", "true"),),
        llm=llm,
    )
