"""What must be true of every run, whatever happened in it: each oracle is a function that tells what is wrong.

An oracle sees one run and the clean run of the same scenario, and nothing else.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise

from tests.faults.course import Course
from tests.integration.cluster import Document
from tests.integration.fault_proxy import Asked

Oracle = Callable[[Course, Course], Iterator[str]]


def ends_as_the_clean_run(course: Course, clean: Course) -> Iterator[str]:
    """Spec, status, routers, records, owners of fields: all that is there in the end is the same, and nothing more."""
    if not course.is_over:
        yield "the Rollout does not come to its end"
    for what in sorted(clean.end.keys() - course.end.keys()):
        yield f"{what} is missing in the end"
    for what in sorted(course.end.keys() - clean.end.keys()):
        yield f"{what} is left over in the end"
    for what in sorted(course.end.keys() & clean.end.keys()):
        yield from _differences(what, clean.end[what], course.end[what])


def weights_go_through_the_steps(course: Course, clean: Course) -> Iterator[str]:
    """I2: the router showed each step's weight once, in order; a crash neither skips nor repeats one."""
    if [*course.weights] != [*clean.weights]:
        yield f"the router showed the weights {[*course.weights]} instead of {[*clean.weights]}"


def weights_only_rise_but_for_a_revert(course: Course, clean: Course) -> Iterator[str]:
    """A share falls only to 0, and only once: with the end of the attempt or with the way back."""
    falls = [(before, after) for before, after in pairwise(course.weights) if after < before]
    if len(falls) > 1 or any(after for _, after in falls):
        yield f"the router showed a fall that is no end: {[*course.weights]}"


def steps_are_taken_once(course: Course, clean: Course) -> Iterator[str]:
    """I2: the status went through each step once, in order."""
    if (passed := _steps(course)) != (wanted := _steps(clean)):
        yield f"the status went through the steps {passed} instead of {wanted}"


def rises_have_a_recorded_pass(course: Course, clean: Course) -> Iterator[str]:
    """I1: with the write that leaves an exposing step, or before it, each gate's Pass measured in it is recorded."""
    for before, after in pairwise(state.get("status", {}) for state in course.rollout):
        left, entered = (status.get("attempt", {}).get("step") or {} for status in (before, after))
        same = before.get("attempt", {}).get("number") == after.get("attempt", {}).get("number")
        if not same or not before.get("weight") or after.get("weight", 0) <= before["weight"]:
            continue
        verdicts = [*before.get("verdicts", ()), *after.get("verdicts", ())]
        passed = [each for each in verdicts if each["verdict"] == "Pass" and each.get("step") == left["name"]]
        began = _moment(left["startedAt"])
        if not any(_moment(each["measuredAt"]) >= began for each in passed):
            yield f"the weight rose from {before['weight']} into step {entered.get('name')} without a Pass of this step"


def nobody_sees_what_was_rejected(course: Course, clean: Course) -> Iterator[str]:
    """I3: once the routers took the candidate back, they never show it again."""
    if not course.scenario.rejects:
        return
    taken_back = False
    for before, after in pairwise(course.weights):
        taken_back = taken_back or after < before
        if taken_back and after:
            yield f"after the revert the router showed {after} %: {[*course.weights]}"
    if course.weights and course.weights[-1]:
        yield f"in the end the router shows {course.weights[-1]} % of what was rejected"


def every_write_has_a_precondition(course: Course, clean: Course) -> Iterator[str]:
    """I6: a resourceVersion, a test of a JSON patch, or a name that must be free."""
    for request in course.requests:
        if request.point.writes and not _has_precondition(request.asked):
            yield f"{request.point} was sent without a precondition"


def foreign_edits_survive(course: Course, clean: Course) -> Iterator[str]:
    """I6: what somebody wrote beside headgate is there in the end."""
    for what in course.overtaken:
        if what not in course.end:
            yield f"{what}, which somebody had annotated, is not there in the end"
        elif not course.end[what].get("annotated"):
            yield f"{what} lost the annotation that somebody had made"


def owns_no_field_of_the_spec(course: Course, clean: Course) -> Iterator[str]:
    """After a revert the next server-side apply needs no force: nothing of the Rollout but its status is headgate's."""
    owners = course.end.get(f"Rollout/{course.scenario.rollout}", {}).get("owners", ())
    if course.scenario.rejects and "headgate of the object" in owners:
        yield "headgate still owns a field of the Rollout that it took back"


def rests_in_the_end(course: Course, clean: Course) -> Iterator[str]:
    """I7: after its end the operator asks nothing."""
    if not course.is_quiet:
        asked = ", ".join(str(request.point) for request in course.requests[-3:])
        yield f"it goes on asking after the end: {asked}"


def no_error_is_logged(course: Course, clean: Course) -> Iterator[str]:
    """A fault of the network is a warning: an error is a fault of headgate."""
    for line in course.troubles:
        yield f"it logged {line[:600]}"


def no_needless_request(course: Course, clean: Course) -> Iterator[str]:
    """A fault costs a few requests more, never a storm."""
    most = 3 * len(clean.requests) + 30 * max(course.strikes, 1)
    if len(course.requests) > most:
        yield f"it sent {len(course.requests)} requests, where a clean run needs {len(clean.requests)}"


ORACLES: tuple[Oracle, ...] = (
    ends_as_the_clean_run,
    weights_go_through_the_steps,
    weights_only_rise_but_for_a_revert,
    steps_are_taken_once,
    rises_have_a_recorded_pass,
    nobody_sees_what_was_rejected,
    every_write_has_a_precondition,
    foreign_edits_survive,
    owns_no_field_of_the_spec,
    rests_in_the_end,
    no_error_is_logged,
    no_needless_request,
)
"""All of them; each judges every run."""


def complaints(course: Course, clean: Course) -> list[str]:
    """What any oracle has to say, with its name."""
    return [f"{oracle.__name__}: {wrong}" for oracle in ORACLES for wrong in oracle(course, clean)]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _steps(course: Course) -> list[tuple[int, int]]:
    """The attempt and the index of the steps that the status went through, each once as long as it lasted."""
    passed: list[tuple[int, int]] = []
    for state in course.rollout:
        attempt = state.get("status", {}).get("attempt", {})
        step = attempt.get("step")
        if step is not None and passed[-1:] != [(attempt["number"], step["index"])]:
            passed.append((attempt["number"], step["index"]))
    return passed


def _has_precondition(asked: Asked) -> bool:
    body = json.loads(asked.body) if asked.body else {}
    if asked.method == "POST":
        return bool(body.get("metadata", {}).get("name"))
    if asked.method == "DELETE":
        return bool(body.get("preconditions", {}).get("uid"))
    if "json-patch" in asked.content:
        return any(operation.get("op") == "test" for operation in body)
    return "apply" not in asked.content and bool(body.get("metadata", {}).get("resourceVersion"))


def _differences(where: str, wanted: object, found: object) -> Iterator[str]:
    """The deepest places in which two documents differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted(wanted.keys() | found.keys()):
            yield from _differences(f"{where}.{key}", wanted.get(key), found.get(key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(f"{where}[{index}]", one, other)
    elif wanted != found and not where.endswith(".annotated"):
        yield f"{where} is {found!r} instead of {wanted!r}"


def differ(course: dict[str, Document], clean: dict[str, Document]) -> bool:
    """Whether two ends are not the same yet."""
    return course.keys() != clean.keys() or any(
        next(_differences(what, clean[what], course[what]), None) is not None for what in clean
    )
