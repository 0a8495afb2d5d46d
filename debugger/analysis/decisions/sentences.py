"""Why a way out was taken or not, in one sentence."""

from __future__ import annotations

from debugger.analysis.decisions.asking import CONDITIONAL, Asked
from debugger.analysis.decisions.candidate import Verdict
from debugger.analysis.decisions.record import Record


def verdict_of(asked: Asked, record: Record, *, won: bool, is_before: bool) -> Verdict:
    """How a way came off.

    Args:
        asked: The way, with what came of asking it.
        record: What is recorded of the decision.
        won: Whether it was taken.
        is_before: Whether it was asked before the one that was taken.
    """
    if won and record.outcome == "gave_up":
        return "exhausted"
    if won:
        return "redirected" if record.outcome == "escalated" else "taken"
    if asked.way.bar is not None:
        return asked.way.bar
    if asked.way.kind == "fork":
        return "forked"
    if asked.way.kind not in CONDITIONAL:
        return "not_needed"
    found = _of_condition(asked, is_before=is_before)
    return "not_armed" if record.stage == "while_waiting" and is_before and found == "held" else found


def _of_condition(asked: Asked, *, is_before: bool) -> Verdict:
    if asked.expression is not None:
        value = asked.expression.value
        return "error" if value is None else "held" if value else "false"
    if asked.model is not None:
        return "judged_yes" if asked.model else "judged_no"
    if asked.offered and not asked.way.judged_apart:
        return "not_chosen"
    if asked.offered or (asked.by_itself and not is_before):
        return "not_asked"
    return "not_offered" if asked.way.freeform else "false"


def why(asked: Asked, record: Record, verdict: Verdict, winner: str) -> str:
    """One sentence on how a way came off.

    Args:
        asked: The way, with what came of asking it.
        record: What is recorded of the decision.
        verdict: How it came off.
        winner: The way that was taken, in words; empty where none was.
    """
    if verdict in ("taken", "redirected"):
        taken = _why_taken(asked, record)
        return f"{taken} Guardrails led elsewhere." if verdict == "redirected" else taken
    if verdict == "false":
        return _why_false(asked)
    if verdict in ("held", "judged_yes"):
        return f"It holds as well, but {_precedence(record, winner)}"
    if verdict == "not_offered":
        return _why_not_offered(asked, record)
    if verdict == "not_chosen":
        chose = f"chose {winner or 'another'} instead" if record.outcome == "model" else "did not choose it"
        return f"The model could choose it while the node ran, and {chose}."
    if verdict == "not_needed":
        return _why_not_needed(asked, record, winner)
    if verdict == "error":
        return asked.expression.error if asked.expression else "It cannot be evaluated."
    return _PLAIN[verdict].format(winner=winner or "another way")


_PLAIN: dict[Verdict, str] = {
    "judged_no": "A model was asked about it in a call of its own, and said no.",
    "not_asked": "Nobody had to ask it: {winner} was settled before.",
    "blocked": "Conditional hops from one guardrail node to another are blocked "
    "(no_hopping_between_guardrail_nodes).",
    "disabled": "The edge is switched off in the workflow.",
    "dangling": "The node that it leads to is not in the workflow.",
    "forked": "It starts a companion thread beside this one, and is no way for this thread.",
    "exhausted": "No attempt is left: the bound of the retry is met.",
    "not_armed": "It holds as well, but it was not due: nothing had armed it, or too short a time ago.",
}


def _why_not_needed(asked: Asked, record: Record, winner: str) -> str:
    if asked.way.kind == "direct":
        if record.outcome == "model":
            return "A direct edge is followed only where the model chose no hop."
        return "The node was passed over, and the turn had too many node runs to go on."
    if record.outcome == "failed":
        return "It comes last, and what comes before could not be evaluated."
    return f"It comes last, and {winner or 'another way'} led on."


def _why_taken(asked: Asked, record: Record) -> str:
    kind = asked.way.kind
    if kind == "direct":
        return "A direct edge is followed without a question, before any condition."
    if kind == "self_loop":
        return "Nothing else led on, so the node goes on with itself."
    if kind == "retry":
        return f"Nothing led on, so the node is tried again: attempt {record.attempt}."
    if kind == "nothing":
        passed = "The node was passed over: it is switched off, or of a type that is not known. "
        return f"{passed if record.passed_over else ''}Nothing led on, so the thread ends here."
    if record.outcome == "model" or asked.offered or asked.model:
        how = "said yes to it when asked apart" if asked.model else "chose it"
        return f"The model {how}{f': “{record.words}”' if record.words else '.'}"
    if record.stage == "while_waiting":
        return "Its condition came true while the node waited for the user."
    return "Its condition is the first that holds."


def _why_false(asked: Asked) -> str:
    if asked.expression is None:
        return "It has no condition, so it never holds."
    absent = asked.expression.absent
    if not absent:
        return "Its condition does not hold."
    have = "has" if len(absent) == 1 else "have"
    return f"Its condition does not hold: {', '.join(absent)} {have} no value."


def _why_not_offered(asked: Asked, record: Record) -> str:
    if not asked.possible:
        return "Its condition is in words, and this node asks no model that could judge it."
    if record.must_answer:
        return f"The model was offered no hop this time, since {record.must_answer}."
    if record.started is None:
        return "The node did not run, so no model was asked."
    if record.stage != "after_run":
        return "Its condition is in words; at this moment only expressions are asked."
    return "It was not offered to the model: its expression could decide as the node began."


def _precedence(record: Record, winner: str) -> str:
    if record.outcome == "direct":
        return "a direct edge goes before every condition."
    if record.outcome == "model":
        return f"the model's choice, {winner}, goes first." if winner else "the model's choice goes first."
    return f"{winner} comes before it." if winner else "nothing was taken."
