"""Living with GitOps: whoever re-applies a rejected version, however often, moves nothing and costs little."""

import threading
from collections.abc import Iterator

import pytest

from tests.integration import resources
from tests.integration.audit import AuditLog
from tests.integration.cluster import Document, Namespace
from tests.integration.journal import Journal
from tests.integration.releases import Release
from tests.integration.routers import weights
from tests.integration.waiting import eventually

PERIOD = 0.5
pytestmark = pytest.mark.usefixtures("operator")


class GitOps:
    """A controller that applies one document with force every half second, whatever is there."""

    def __init__(self, namespace: Namespace, document: Document, manager: str = "gitops") -> None:
        self.applied = 0
        self._manager = manager
        self._namespace, self._document = namespace.by_another(), document
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def writes(self, document: Document) -> None:
        """Another commit in Git."""
        self._document = document

    def applies_again(self, times: int) -> None:
        """Returns when it has applied so many times more."""
        goal = self.applied + times
        eventually(lambda: self.applied, lambda applied: applied >= goal)

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        self._namespace.server.close()

    def _run(self) -> None:
        while not self._end.wait(PERIOD):
            self._namespace.apply(self._document, manager=self._manager, force=True)
            self.applied += 1


@pytest.fixture
def gitops(release: Release) -> Iterator[GitOps]:
    """v1 is stable, and Git says so."""
    release.begins()
    controller = GitOps(release.namespace, release.document("v1"))
    yield controller
    controller.stop()


@pytest.fixture
def argo(release: Release) -> Iterator[GitOps]:
    """v1 is stable; Git says so, and Argo CD applies it as the owner of the Rollout."""
    release.begins()
    controller = GitOps(release.namespace, _tracked(release, "v1"), manager="argocd-controller")
    controller.applies_again(1)
    yield controller
    controller.stop()


def test_what_argo_cd_keeps_is_left_alone_and_says_what_to_change_in_git(
    release: Release, argo: GitOps, audit: AuditLog
) -> None:
    release.is_bad("v2")
    argo.writes(_tracked(release, "v2"))
    release.namespace.wait("reply", lambda status: bool(status["rejected"]) and status["attempt"]["state"] == "Ended")
    release.is_shown(v1=100)
    release.is_good("v2")
    stalled, statuses = _stalled(release), Journal(release.namespace, "Rollout", "reply")
    change = "Argo CD keeps this Rollout: change spec.prompt.version from v2 to v1 in Git (headgate git-revert reply)"
    assert stalled["reason"] == "Rejected"
    assert change in stalled["message"]
    argo.applies_again(2)
    before, seen, events = len(_writes(audit)), len(statuses.states()), _events(release)
    argo.applies_again(10)
    assert _writes(audit)[before:] == []
    assert {state["status"]["phase"] for state in statuses.states()[seen:]} <= {"RolledBack"}
    assert _writes_of_the_spec(audit) == []
    assert _events(release) == events
    assert [change in message for reason, message in events if reason == "RolledBack"] == [True]
    assert release.spec_version() == "v2"
    argo.writes(_tracked(release, "v1"))
    eventually(lambda: release.namespace.condition("Rollout", "reply", "Ready"), lambda seen: seen["status"] == "True")
    assert release.namespace.status("reply")["attempts"] == 1


def test_always_restores_what_argo_cd_keeps_once_and_fights_no_further(
    release: Release, argo: GitOps, audit: AuditLog
) -> None:
    release.is_bad("v2")
    argo.writes(_tracked(release, "v2", rollback={"revertSpec": "Always"}))
    release.namespace.wait("reply", lambda status: bool(status["rejected"]) and status["attempt"]["state"] == "Ended")
    argo.applies_again(2)
    eventually(lambda: _stalled(release), lambda seen: seen.get("reason") == "Rejected")
    release.is_shown(v1=100)
    before = len(_writes(audit))
    argo.applies_again(10)
    assert _writes(audit)[before:] == []
    # The restore, and giving up the ownership of what it wrote.
    assert 1 <= len(_writes_of_the_spec(audit)) <= 3
    assert release.spec_version() == "v2"


def test_a_rejected_version_that_is_applied_twice_a_second_is_shown_to_nobody_and_nothing_flaps(
    release: Release, gitops: GitOps, audit: AuditLog
) -> None:
    release.is_bad("v2")
    gitops.writes(release.document("v2"))
    release.namespace.wait("reply", lambda status: bool(status["rejected"]) and status["attempt"]["state"] == "Ended")
    release.is_good("v2")
    journal, statuses = release.router.history(release.namespace), _statuses(release)
    gitops.applies_again(2)
    eventually(lambda: _stalled(release), lambda seen: seen.get("reason") == "Rejected")
    before, seen = len(_writes(audit)), len(statuses.states())
    gitops.applies_again(10)
    assert _writes(audit)[before:] == []
    assert weights(release.router, journal) == [0]
    assert {state["status"]["phase"] for state in statuses.states()[seen:]} <= {"RolledBack"}
    assert release.spec_version() == "v2"


def test_the_next_commit_in_git_is_released_while_it_goes_on(release: Release, gitops: GitOps) -> None:
    release.is_bad("v2")
    gitops.writes(release.document("v2"))
    release.namespace.wait("reply", lambda status: bool(status["rejected"]) and status["attempt"]["state"] == "Ended")
    gitops.writes(release.document("v3"))
    release.ends_stable("v3")
    assert {entry["version"] for entry in release.namespace.status("reply")["history"]} == {"v2", "v3"}


def test_a_good_version_that_is_applied_all_the_time_makes_no_second_attempt(
    release: Release, gitops: GitOps, audit: AuditLog
) -> None:
    gitops.writes(release.document("v2"))
    release.ends_stable("v2")
    eventually(
        lambda: release.namespace.get("PromptVersion", "v1")["status"]["stage"], lambda seen: seen == "Deprecated"
    )
    gitops.applies_again(2)
    before = len(_writes(audit))
    gitops.applies_again(6)
    assert _writes(audit)[before:] == []
    assert release.namespace.status("reply")["attempts"] == 1


def test_an_edit_of_anything_else_while_a_version_is_rejected_is_no_new_attempt(release: Release) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    release.of("v2", steps=[{"weight": 5, "holdFor": "1s"}, {"weight": 100}], bakeFor="1m")
    eventually(lambda: _stalled(release), lambda seen: seen["reason"] == "Rejected")
    assert release.namespace.status("reply")["attempts"] == 1
    assert release.shares() == {"v1": 100}


def test_the_same_content_under_another_name_is_as_rejected(release: Release) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    release.namespace.apply(resources.version("v2-again", text="You are v2."))
    release.of("v2-again")
    eventually(lambda: _stalled(release), lambda seen: seen["reason"] == "Rejected")
    assert release.shares() == {"v1": 100}


def _tracked(release: Release, version: str, **spec: object) -> Document:
    """The team's document as Argo CD applies it."""
    document = release.document(version, **spec)
    tracking = f"apps:headgate.dev/Rollout:{release.namespace.name}/reply"
    document["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": tracking}
    return document


def _writes_of_the_spec(audit: AuditLog) -> list[str]:
    return [str(request) for request in audit.requests() if request.writes and request.path.endswith("/rollouts/reply")]


def _events(release: Release) -> list[tuple[str, str]]:
    return sorted((event["reason"], event["message"]) for event in release.namespace.every("Event"))


def _writes(audit: AuditLog) -> list[str]:
    return [str(request) for request in audit.requests() if request.writes]


def _statuses(release: Release) -> Journal:
    return Journal(release.namespace, "Rollout", "reply")


def _stalled(release: Release) -> Document:
    return release.namespace.condition("Rollout", "reply", "Stalled")
