"""The operator's requests are counted as the budget counts them."""

import json
from pathlib import Path

from headgate.local.demo import audit

_OPERATOR = "system:serviceaccount:headgate-system:headgate"
_SECOND = 1_767_225_600.0


def line(verb: str, resource: str, subresource: str = "", *, user: str = _OPERATOR, at: str = "01") -> str:
    return json.dumps(
        {
            "stage": "ResponseComplete",
            "verb": verb,
            "user": {"username": user},
            "objectRef": {"resource": resource, "subresource": subresource},
            "requestReceivedTimestamp": f"2026-01-01T00:00:{at}.000000Z",
        }
    )


def test_requests_are_counted_by_verb_and_target(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    lines = [
        line("patch", "rollouts", "status"),
        line("patch", "rollouts", "status"),
        line("get", "configmaps"),
        line("list", "rollouts"),
        line("watch", "rollouts"),
        line("update", "leases"),
        line("patch", "promptversions", "status"),
        line("patch", "rollouts", user="someone-else"),
        line("patch", "rollouts", at="31"),
        '{"half',
    ]
    log.write_text("\n".join(lines))
    counted = audit.count(log, _OPERATOR, _SECOND, _SECOND + 30)
    assert counted.budgeted == {"patch rollouts/status": 2, "get configmaps": 1, "list rollouts": 1}
    assert counted.total == 4
    assert counted.apart == 2


def test_a_request_without_an_object_counts_too(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    request = json.loads(line("get", "x"))
    del request["objectRef"]
    log.write_text(json.dumps(request) + "\n")
    assert audit.count(log, _OPERATOR, _SECOND, _SECOND + 30).budgeted == {"get other": 1}
