"""What a post does, and what it does not: the operator as a process, a real API server, every kind of odd post."""

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.alerts.conftest import ELSEWHERE, TOKEN, Begin
from tests.alerts.operator_process import AlertedOperator
from tests.alerts.posts import BURNING, Sender, alert, post
from tests.controller import documents
from tests.controller.kube import Kube, Requests
from tests.controller.waiting import is_stable, wait_for, weight_shown

HOUR = timedelta(hours=1)


def is_rolled_back(kube: Kube) -> dict[str, object]:
    """The status once everybody is back on v1, the spec with it."""
    status = wait_for(kube, lambda found: found["phase"] == "RolledBack")
    assert weight_shown(kube) == 0
    assert kube.get("Rollout", "reply")["spec"]["prompt"]["version"] == "v1"
    return status


def is_untouched(kube: Kube) -> None:
    """Nothing was stored, so that nothing can come of it."""
    rollout = kube.get("Rollout", "reply")
    assert "headgate.dev/alert" not in rollout["metadata"].get("annotations", {})
    assert rollout["status"]["weight"] == 10


def test_a_firing_alert_takes_the_attempt_back(kube: Kube, begin: Begin, sender: Sender) -> None:
    begin()
    assert sender.fire() == 200
    status = is_rolled_back(kube)
    said = "alert: RankerBurningBudget severity=critical: the budget burns 14 times too fast"
    assert status["attempt"]["reason"] == said  # type: ignore[index]
    owners = kube.get("Rollout", "reply")["metadata"]["managedFields"]
    assert not [each for each in owners if each["manager"] == "headgate" and "subresource" not in each]


def test_it_is_stored_before_it_is_answered(kube: Kube, begin: Begin, sender: Sender) -> None:
    begin()
    assert sender.fire() == 200
    stored = json.loads(kube.get("Rollout", "reply")["metadata"]["annotations"]["headgate.dev/alert"])
    assert (stored["attempt"], stored["action"]) == (1, "Rollback")


def test_what_is_left_of_an_alert_does_not_touch_the_next_attempt(kube: Kube, begin: Begin, sender: Sender) -> None:
    begin()
    assert sender.fire() == 200
    is_rolled_back(kube)
    kube.apply(documents.rollout("v3", gates=[], steps=[{"weight": 100}]))
    wait_for(kube, is_stable("v3"))


def test_a_replayed_post_is_written_once(plane: ControlPlane, kube: Kube, begin: Begin, sender: Sender) -> None:
    begin(rollback={"alerts": [{"match": BURNING, "action": "Pause"}]})
    requests = Requests(plane.audit_log, kube.namespace)
    again = alert()
    for _ in range(5):
        assert sender.fire(again) == 200
    wait_for(kube, lambda found: found["phase"] == "Paused")
    for _ in range(5):
        assert sender.fire(again) == 200
    asked = [each for each in requests.of_the_operator() if each.endswith("/rollouts/reply")]
    writes = [each for each in asked if not each.startswith("get ")]
    assert writes == [f"patch /apis/headgate.dev/v1alpha1/namespaces/{kube.namespace}/rollouts/reply"]


def test_a_pause_ends_with_resume_and_the_repeated_alert_does_not_pause_again(
    kube: Kube, begin: Begin, sender: Sender
) -> None:
    begin(
        rollback={"alerts": [{"match": BURNING, "action": "Pause"}]},
        steps=[{"weight": 10, "holdFor": "3s"}, {"weight": 100}],
    )
    paused = alert()
    assert sender.fire(paused) == 200
    status = wait_for(kube, lambda found: found["phase"] == "Paused")
    assert status["attempt"]["paused"]["check"] == "alert/RankerBurningBudget"
    kube.annotate("reply", resume="1")
    wait_for(kube, lambda found: found["phase"] != "Paused")
    assert sender.fire(paused) == 200
    wait_for(kube, is_stable("v2"))


def test_a_notice_is_an_event_and_nothing_else(kube: Kube, begin: Begin, sender: Sender) -> None:
    begin(rollback={"alerts": [{"match": BURNING, "action": "Notify"}]})
    assert sender.fire() == 200
    wait_until(lambda: "AlertFiring" in kube.reasons(), timeout=10, otherwise=lambda: str(kube.reasons()))
    assert kube.get("Rollout", "reply")["status"]["weight"] == 10


def test_the_most_severe_of_what_is_asked_counts(kube: Kube, begin: Begin, sender: Sender) -> None:
    begin(rollback={"alerts": [{"match": {"alertname": "Slow"}, "action": "Pause"}, {"match": BURNING}]})
    slow = alert({"alertname": "Slow"}, fingerprint="aa", at=datetime.now(UTC) - timedelta(milliseconds=1))
    assert sender.fire(slow, alert(), alert({"alertname": "Slow"}, fingerprint="bb")) == 200
    is_rolled_back(kube)


def test_an_alert_is_obeyed_while_paused(kube: Kube, begin: Begin, sender: Sender) -> None:
    begin()
    kube.patch("Rollout", "reply", {"spec": {"paused": True}})
    wait_for(kube, lambda found: found["phase"] == "Paused")
    assert sender.fire() == 200
    is_rolled_back(kube)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(alert(status="resolved"), id="resolved"),
        pytest.param(alert(at=datetime.now(UTC) - HOUR), id="older than the attempt"),
        pytest.param(alert({"alertname": "RankerBurningBudget"}), id="a label is missing"),
        pytest.param(alert({"alertname": "RankerBurningBudget", "severity": "warning"}), id="a label differs"),
    ],
)
def test_what_concerns_nobody_is_received_and_does_nothing(
    kube: Kube, begin: Begin, sender: Sender, odd: dict[str, object]
) -> None:
    begin()
    assert sender.fire(odd) == 200
    is_untouched(kube)


def test_with_no_attempt_in_flight_nothing_is_written(kube: Kube, begin: Begin, sender: Sender) -> None:
    begin()
    kube.annotate("reply", abort="1")
    is_rolled_back(kube)
    assert sender.fire() == 200
    assert "headgate.dev/alert" not in kube.get("Rollout", "reply")["metadata"]["annotations"]


def test_a_token_opens_its_own_namespaces_alone(kube: Kube, begin: Begin, operator: AlertedOperator) -> None:
    begin()
    assert Sender(operator.url, ELSEWHERE).fire() == 200
    is_untouched(kube)


@pytest.mark.parametrize("token", [None, "", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ü" * 30])
def test_whoever_is_not_known_gets_no_word(
    kube: Kube, begin: Begin, operator: AlertedOperator, token: str | None
) -> None:
    begin()
    stranger = Sender(operator.url, None)
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    answer = stranger.send(post(alert()), **headers)  # type: ignore[arg-type]  # a header may be bytes
    assert (answer.status_code, answer.content) == (401, b"")
    assert stranger.send(post(alert()), Authorization=f"Basic {TOKEN}").status_code == 401
    is_untouched(kube)


def test_truncated_alerts_make_it_look_again_at_whoever_asks_for_alerts(
    kube: Kube, begin: Begin, sender: Sender, operator: AlertedOperator
) -> None:
    begin()
    looks = operator.metric("headgate_reconcile_seconds_count")
    assert sender.fire(alert(status="resolved"), truncated=3) == 200
    wait_until(
        lambda: operator.metric("headgate_reconcile_seconds_count") > looks, timeout=10, otherwise=lambda: "no look"
    )
    is_untouched(kube)


WRONG = {
    "no JSON": "{",
    "a list": "[]",
    "nothing": "",
    "no bytes of UTF-8": b"\xff\xfe{}",
    "half a surrogate": json.dumps(post(alert(summary="\ud800"))),
    "another version": json.dumps({**post(alert()), "version": "3"}),
    "no version": json.dumps({"alerts": [alert()]}),
    "no fingerprint": json.dumps(post({**alert(), "fingerprint": ""})),
    "a fingerprint that is a path": json.dumps(post({**alert(), "fingerprint": "../x"})),
    "no time": json.dumps(post({**alert(), "startsAt": "soon"})),
    "a time of nowhere": json.dumps(post({**alert(), "startsAt": "2026-11-21T06:00:00"})),
    "a time before all": json.dumps(post({**alert(), "startsAt": "0001-01-01T00:00:00+14:00"})),
    "labels that are numbers": json.dumps(post({**alert(), "labels": {"alertname": 3}})),
    "too deep": "[" * 100_000,
    "too many alerts": json.dumps({**post(), "alerts": [{}] * 10_001}),
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_a_malformed_post_is_refused_and_does_nothing(kube: Kube, begin: Begin, sender: Sender, body: str) -> None:
    answer = sender.send(body)
    assert answer.status_code == 400
    assert len(answer.text) < 400


def test_an_alert_with_thousands_of_labels_keeps_no_other_of_its_group_out(
    kube: Kube, begin: Begin, sender: Sender
) -> None:
    begin()
    # Whoever may write any rule can make an alert of that name, which then comes in the same post.
    theirs = alert({**BURNING, "severity": "none", **{f"l{number}": "x" for number in range(5000)}}, fingerprint="ff")
    assert sender.fire(theirs, alert()) == 200
    is_rolled_back(kube)


def test_a_post_that_is_too_large_is_refused(sender: Sender) -> None:
    large = json.dumps(post(alert(summary="x" * 1_100_000)))
    assert sender.send(large).status_code == 413

    def pieces() -> object:
        yield from (large[start : start + 60_000].encode() for start in range(0, len(large), 60_000))

    assert sender._session.post(sender._url, data=pieces(), timeout=15).status_code == 413  # type: ignore[arg-type]


def test_other_paths_and_methods_are_nobodys(sender: Sender) -> None:
    assert sender.send(post(alert()), path="/more").status_code == 404
    refused = sender.send("", method="GET")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


def test_a_post_that_does_not_arrive_is_given_up_and_asked_for_again(operator: AlertedOperator) -> None:
    host, _, port = operator.listen.partition(":")
    with socket.create_connection((host, int(port)), timeout=15) as slow:
        head = f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 500\r\n\r\n"
        slow.sendall(f"{head}{{".encode())
        assert slow.recv(100).startswith(b"HTTP/1.1 503")


def test_strangers_who_hold_connections_open_keep_nobody_out_for_long(
    kube: Kube, begin: Begin, sender: Sender, operator: AlertedOperator
) -> None:
    begin()
    host, _, port = operator.listen.partition(":")
    held = [socket.create_connection((host, int(port)), timeout=5) for _ in range(200)]
    try:
        for each in held:
            each.sendall(b"POST /alerts HTTP/1.1\r\nHost:")
    except OSError:
        pass  # it was dropped already
    # Those who are too many go once it is clear that they have said nothing.
    wait_until(
        lambda: operator.metric("process_open_fds") < 64 + 60, timeout=5, otherwise=lambda: "all connections are held"
    )

    def is_stored() -> bool:
        try:
            return sender.fire() == 200
        except OSError:
            return False

    wait_until(is_stored, timeout=40, otherwise=lambda: "nobody gets in")
    is_rolled_back(kube)
    for each in held:
        each.close()
