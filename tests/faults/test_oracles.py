"""Each oracle says nothing of a sound run, and something of a run in which its rule is broken."""

import json
from dataclasses import replace

import pytest

from tests.faults import oracles
from tests.faults.conductor import Request
from tests.faults.course import Course
from tests.faults.points import Point
from tests.faults.scenarios import SCENARIOS
from tests.integration.cluster import Document
from tests.integration.fault_proxy import Asked

_BAD = next(each for each in SCENARIOS if each.rejects)
_NAMES = ("10", "50", "100")
_MERGE, _JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


def sent(method: str = "PATCH", content: str = _MERGE, **body: object) -> Request:
    text = json.dumps(body or {"metadata": {"resourceVersion": "1"}})
    return Request(Point(method, "configmaps/flags", 1), Asked(method, "/x", "", content, text.encode()), 0.0)


def state(weight: int, step: int, *, passed: int | None = None) -> Document:
    """A state of the Rollout in that step; ``passed``: the step in which a Pass was measured."""
    measured = {"verdict": "Pass", "step": _NAMES[passed or 0], "measuredAt": f"2026-11-21T06:00:0{passed}.500Z"}
    verdicts = [measured] if passed is not None else []
    entered = {"index": step, "name": _NAMES[step], "startedAt": f"2026-11-21T06:00:0{step}.000Z"}
    return {"status": {"weight": weight, "verdicts": verdicts, "attempt": {"number": 1, "step": entered}}}


SOUND = Course(
    scenario=_BAD,
    namespace="run-1",
    rollout=[state(10, 0), state(50, 1, passed=0)],
    router=[],
    requests=[sent(), sent("POST", "application/json", metadata={"name": "x"}), sent("GET")],
    end={"ConfigMap/flags": {"data": {"flags.json": "1"}, "annotated": True}},
    is_over=True,
    is_quiet=True,
    troubles=(),
    overtaken=["ConfigMap/flags"],
    weights=[0, 10, 50, 0],
)

_BROKEN: list[tuple[oracles.Oracle, Course]] = [
    (oracles.ends_as_the_clean_run, replace(SOUND, is_over=False)),
    (oracles.ends_as_the_clean_run, replace(SOUND, end={})),
    (oracles.ends_as_the_clean_run, replace(SOUND, end={**SOUND.end, "ConfigMap/more": {}})),
    (oracles.ends_as_the_clean_run, replace(SOUND, end={"ConfigMap/flags": {"data": {"flags.json": "2"}}})),
    (oracles.weights_go_through_the_steps, replace(SOUND, weights=[0, 50, 0])),
    (oracles.weights_go_through_the_steps, replace(SOUND, weights=[0, 10, 50])),
    (oracles.weights_only_rise_but_for_a_revert, replace(SOUND, weights=[0, 50, 10, 0])),
    (oracles.weights_only_rise_but_for_a_revert, replace(SOUND, weights=[0, 10, 0, 10, 0])),
    (oracles.steps_are_taken_once, replace(SOUND, rollout=[*SOUND.rollout, state(10, 0)])),
    (oracles.steps_are_taken_once, replace(SOUND, rollout=SOUND.rollout[1:])),
    (oracles.rises_have_a_recorded_pass, replace(SOUND, rollout=[state(10, 0), state(50, 1)])),
    (oracles.rises_have_a_recorded_pass, replace(SOUND, rollout=[state(10, 0), state(50, 1, passed=1)])),
    (oracles.nobody_sees_what_was_rejected, replace(SOUND, weights=[0, 10, 0, 10])),
    (oracles.nobody_sees_what_was_rejected, replace(SOUND, weights=[0, 10])),
    (oracles.every_write_has_a_precondition, replace(SOUND, requests=[sent(data={})])),
    (
        oracles.every_write_has_a_precondition,
        replace(SOUND, requests=[sent("POST", "application/json", metadata={"generateName": "x"})]),
    ),
    (oracles.every_write_has_a_precondition, replace(SOUND, requests=[sent("DELETE", "application/json", x=1)])),
    (oracles.every_write_has_a_precondition, replace(SOUND, requests=[sent(content="application/apply-patch+yaml")])),
    (oracles.foreign_edits_survive, replace(SOUND, end={"ConfigMap/flags": {"annotated": False}})),
    (oracles.foreign_edits_survive, replace(SOUND, end={})),
    (
        oracles.owns_no_field_of_the_spec,
        replace(
            SOUND, end={**SOUND.end, "Rollout/reply": {"owners": ["headgate of status", "headgate of the object"]}}
        ),
    ),
    (oracles.rests_in_the_end, replace(SOUND, is_quiet=False)),
    (oracles.no_error_is_logged, replace(SOUND, troubles=["a traceback"])),
    (oracles.no_needless_request, replace(SOUND, requests=[sent()] * 100)),
]


@pytest.mark.parametrize("oracle", oracles.ORACLES, ids=lambda oracle: str(oracle.__name__))
def test_a_sound_run_is_not_blamed(oracle: oracles.Oracle) -> None:
    assert [*oracle(SOUND, SOUND)] == []


@pytest.mark.parametrize(("oracle", "broken"), _BROKEN)
def test_a_broken_rule_is_told(oracle: oracles.Oracle, broken: Course) -> None:
    assert [*oracle(broken, SOUND)] != []


def test_every_oracle_was_seen_to_fail() -> None:
    assert {oracle for oracle, _ in _BROKEN} == {*oracles.ORACLES}


def test_a_json_patch_needs_a_test() -> None:
    def blamed(*operations: Document) -> list[str]:
        text = json.dumps(operations).encode()
        request = Request(Point("PATCH", "x", 1), Asked("PATCH", "/x", "", _JSON_PATCH, text), 0.0)
        return [*oracles.every_write_has_a_precondition(replace(SOUND, requests=[request]), SOUND)]

    replaced: Document = {"op": "replace", "path": "/spec/x", "value": 1}
    assert blamed(replaced) != []
    assert blamed({"op": "test", "path": "/metadata/uid", "value": "1"}, replaced) == []
