from __future__ import annotations

import random
from dataclasses import replace

from debugger.analysis.comparison.comparison import compare
from debugger.analysis.comparison.divergence import describe_divergence
from tests.support.short_turns import at, hears, shows, speaks, transition, turn

START = turn(1, None, at("desk"), speaks("desk", "Hello"))


def sentence(a, b, names=None, shift=0):
    return describe_divergence(compare(a, b, shift=shift), names or {}).partition("; ")[2]


def test_nothing_differs():
    assert sentence([START], [START]) == "nothing differs in 2 events, apart from what is ignored."


def test_neither_run_has_a_turn():
    assert describe_divergence(compare([], []), {}) == "Neither run has a turn."


def test_a_run_without_turns_does_nothing_in_another_ones():
    told = [turn(1, "tea", at("desk"), transition("desk", "tea"))]

    assert sentence(told, []) == sentence([], told) == sentence(told, told, shift=5) == "no turn is in both."


def test_sentence_names_the_first_turn_that_differs():
    chance = random.Random(38)

    def happens():
        node = chance.choice(("desk", "tea"))
        happened = (
            at(node),
            speaks(node, "Yes"),
            speaks(node, "No"),
            transition(node, "tea"),
            shows(tea="Assam"),
        )
        return [chance.choice(("hi", "tea")), *chance.sample(happened, chance.randrange(4))]

    for _ in range(300):
        a = [happens() for _ in range(chance.randrange(1, 5))]
        b = [each if chance.random() < 0.7 else happens() for each in a[: chance.randrange(1, 5)]]
        b += [happens() for _ in range(chance.randrange(3))]
        same = next((at for at, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1]), None)
        one, other = ([turn(number, *told) for number, told in enumerate(run, 1)] for run in (a, b))

        words = sentence(one, other)

        if same is not None:
            assert words.startswith(f"first difference in turn {same + 1}")
        elif len(a) == len(b):
            assert words.startswith("nothing differs")
        else:
            ends, shorter = ("A", a) if len(a) < len(b) else ("B", b)
            begin = "turn 1 is" if len(shorter) == 1 else f"turns 1 to {len(shorter)} are"
            assert words.startswith(f"{begin} the same, then {ends} ends")


def test_sentence_begins_with_both_lengths():
    longer = [START, turn(2, "tea")]

    sentences = [describe_divergence(compare(a, b), {}) for a, b in [([START], longer), (longer, [])]]

    assert [words.partition("; ")[0] for words in sentences] == [
        "A 1 turn, B 2 turns",
        "A 2 turns, B 0 turns",
    ]
    assert describe_divergence(compare(longer, longer[1:]), {}).startswith("A 2 turns, B 1 turn; ")


def test_the_user_says_something_else():
    a, b = [START, turn(2, "tea", hears("desk", "tea"))], [START, turn(2, "coffee", hears("desk", "coffee"))]

    assert (
        sentence(a, b) == "first difference in turn 2 after “Desk”: the user says “tea” in A, “coffee” in B."
    )


def test_the_same_words_lead_another_way():
    a = [START, turn(2, "hm", at("desk"), transition("desk", "tea", "wants tea"), at("tea"))]
    b = [START, turn(2, "hm", at("desk"), transition("desk", "bye"), at("bye"))]

    assert sentence(a, b, {"bye": "Farewell"}) == (
        "first difference in turn 2 after “Desk”: A takes “wants tea” to “Tea”, B continues to “Farewell”."
    )


def test_only_one_of_them_hops():
    a, b = [START, turn(2, "hm", at("desk"), transition("desk", "tea"))], [START, turn(2, "hm", at("desk"))]

    assert sentence(a, b) == "first difference in turn 2 after “Desk”: A continues to “Tea”, B stays."


def test_one_hops_and_the_other_ends():
    ended = {"type": "end_thread", "last_node_logical_id": "desk", "origin_thread_id": "0"}
    a, b = [START, turn(2, "hm", transition("desk", "tea"))], [START, turn(2, "hm", ended)]

    assert sentence(a, b) == "first difference in turn 2 after “Desk”: A continues to “Tea”, B ends."


def test_the_workflow_says_something_else():
    a, b = [START, turn(2, "hm", speaks("desk", "Yes"))], [START, turn(2, "hm", speaks("desk", "No"))]

    assert sentence(a, b) == "first difference in turn 2 after “Desk”: A says “Yes”, B says “No”."


def test_a_variable_of_the_input_differs():
    a, b = [turn(1, None, dynamic_variables={"shop": "A"})], [turn(1, None, dynamic_variables={"shop": "B"})]

    assert sentence(a, b) == "first difference in turn 1: the input differs in dynamic_variables.shop."


def test_the_state_differs_and_nothing_else():
    a, b = [START, turn(2, "hm", shows(tea="Assam"))], [START, turn(2, "hm", shows(tea="Ceylon"))]

    assert sentence(a, b) == (
        "first difference in turn 2 after “Desk”: the state differs in runtime_variables.tea."
    )


def test_an_event_comes_in_one_only():
    a, b = [START, turn(2, "hm", {"type": "workflow_warning"})], [START, turn(2, "hm")]

    assert sentence(a, b) == "first difference in turn 2 after “Desk”: workflow warning comes in A only."


def test_turns_before_a_continued_run_do_not_differ():
    first = turn(1, "hi", at("desk"), transition("desk", "tea"))
    a = [first, turn(2, "x", speaks("tea", "Hot")), turn(3, "y", speaks("tea", "Hot"))]
    same, other = turn(1, "x", speaks("tea", "Hot")), turn(1, "x", speaks("tea", "Cold"))

    sentences = [describe_divergence(compare(a, b, shift=1), {}) for b in ([same], [other])]

    assert sentences == [
        "A 3 turns, B 1 turn; turn 2 is the same, then B ends and A continues.",
        "A 3 turns, B 1 turn; first difference in turn 2: A says “Hot”, B says “Cold”.",
    ]
    assert describe_divergence(compare(a[:2], [same], shift=1), {}) == (
        "A 2 turns, B 1 turn; nothing differs in 1 event, apart from what is ignored."
    )


def test_input_of_background_work_differs_too():
    def run(tea, seed):
        work = turn(1, None, at("desk"), dynamic_variables={"seed": seed})
        return [turn(1, "hm", shows(tea=tea)), replace(work, is_background=True)]

    assert sentence(run("Assam", 1), run("Ceylon", 2)) == (
        "first difference in turn 1: the input differs in dynamic_variables.seed."
    )


def test_escalation_without_destination_ends():
    end = {**transition("desk", "tea"), "type": "guardrail_escalation_edge"}
    end |= {"edge_logical_id": None, "destination_node_logical_id": None, "destination_node_name": None}
    a, b = [START, turn(2, "hm", end)], [START, turn(2, "hm")]

    assert sentence(a, b) == "first difference in turn 2 after “Desk”: A ends, B stays."


def test_companion_thread_starts_in_one_only():
    fork = transition("desk", "poll", kind="companion_edge")
    a, b = [START, turn(2, "hm", fork)], [START, turn(2, "hm")]

    assert sentence(a, b) == "first difference in turn 2 after “Desk”: companion edge comes in A only."


def test_one_run_ends_before_the_other():
    longer = [START, turn(2, "hm", at("desk"))]

    assert sentence([START], longer) == "turn 1 is the same, then A ends and B continues."
    assert sentence(longer, [START]) == "turn 1 is the same, then B ends and A continues."


def test_long_words_are_cut():
    a, b = [START, turn(2, "long " * 50)], [START, turn(2, "short")]

    assert "…” in A, “short” in B." in sentence(a, b)
