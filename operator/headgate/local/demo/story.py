"""What the demo shows, in four acts: a first version, a good release, a bad one, and that the next can follow."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from headgate.api.rollout_status import AttemptState, Outcome
from headgate.local.demo import checks
from headgate.local.demo.api_server import ApiServer
from headgate.local.demo.companies import COMPANIES
from headgate.local.demo.example import Example
from headgate.local.demo.scene import Happening, Scene, StoryFailed
from headgate.local.demo.stage import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, Stage

NAMESPACE = "ai"
ROLLOUT_NAME = "support-reply"
FLAGS_CONFIG_MAP = "support-reply-flags"
FLAGS_KEY = "flags.json"
FIRST, GOOD, BAD, NEXT = (f"support-reply-v{number}" for number in (7, 8, 9, 10))
_WEIGHTS = [10, 25, 50, 100]


@dataclass(frozen=True, slots=True)
class Release:
    """One attempt, from the apply to its end."""

    version: str
    attempt: int
    begun_at: float
    """Seconds since the epoch, as below; before its PromptVersion was applied, where that was not there yet."""
    applied_at: float
    ended_at: float
    settled_at: float
    """When everybody was seen to be served as they should be; what the operator writes afterwards is written then."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was shown, for the summary."""

    first_stable_after: float
    """Seconds."""
    good: Release
    bad: Release
    evaluations_afterwards: Mapping[str, int]
    """By version, in a span after the revert in which every company was served at least once."""


@dataclass(frozen=True, slots=True)
class Story:
    """The acts. Each raises StoryFailed, or the ApplyRefused of the API server, when it does not go as it should."""

    stage: Stage
    api: ApiServer
    example: Example
    scene: Scene

    async def prepare(self) -> None:
        """What a cluster has before headgate is used: namespaces and the operator's account."""
        for namespace in (NAMESPACE, OPERATOR_NAMESPACE):
            await self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        account = {"name": OPERATOR_ACCOUNT, "namespace": OPERATOR_NAMESPACE}
        await self.api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})

    async def tell(self) -> Told:
        """All acts."""
        first = await self._first_version()
        good = await self._good_release()
        bad = await self._bad_release()
        evaluations = await self._everybody_on(GOOD)
        bad = replace(bad, settled_at=time.time())
        await self._next_apply()
        return Told(first, good, bad, evaluations)

    async def _first_version(self) -> float:
        scene = self.scene
        scene.bounds = checks.bounds(self.example.gate)
        scene.begin(f"Act 1: example 01 is applied; {FIRST} is the first version, so it becomes stable at once")
        applied_at = time.time()
        for document in self.example.first:
            await self.api.apply(document)
        await scene.until(f"{FIRST} to become stable", lambda: _stable(scene) == FIRST)
        became_stable_after = time.time() - applied_at
        # On a cluster, too, a Pod starts only once the ConfigMap that it mounts is there.
        await scene.until(f"the flag in ConfigMap {FLAGS_CONFIG_MAP}", self.stage.flags.exists)
        self.stage.start_service()
        await scene.until(
            f"all {len(COMPANIES)} companies to be served by {FIRST}",
            lambda: scene.tally.on(FIRST) == len(COMPANIES),
        )
        return became_stable_after

    async def _good_release(self) -> Release:
        self.scene.begin(f"Act 2: {GOOD} is released, a good one")
        release = await self._release(GOOD, Outcome.PROMOTED, begun_at=time.time())
        weights = self.scene.weights_of(release.attempt)
        if weights != _WEIGHTS:
            raise StoryFailed(f"{GOOD} went through the weights {weights}, not {_WEIGHTS}")
        await self._everybody_on(GOOD)
        return replace(release, settled_at=time.time())

    async def _bad_release(self) -> Release:
        self.scene.begin(f"Act 3: {BAD} is released, a bad one: every fifth answer cannot be used")
        begun_at = time.time()
        await self.api.apply(self.example.later[BAD])
        release = await self._release(BAD, Outcome.ROLLED_BACK, begun_at=begun_at)
        if self.scene.version != GOOD:
            raise StoryFailed(f"the spec names {self.scene.version} after the revert, not {GOOD}")
        if not self.scene.companies_at.get((release.attempt, _WEIGHTS[0])):
            raise StoryFailed(f"nobody was seen to be served by {BAD}: nothing was there to take back")
        return release

    async def _next_apply(self) -> None:
        self.scene.begin(f"Act 4: the next release, {NEXT}, is tried by a dry run of server-side apply without force")
        await self.api.apply(self.example.later[NEXT])
        await self.api.apply(self.example.release(NEXT), dry_run=True)
        self._say("Applied", f"no conflict: after the revert the spec is its authors' again ({NEXT}, dry run)")

    async def _release(self, version: str, expected: Outcome, *, begun_at: float) -> Release:
        scene = self.scene
        before = _attempt(scene)
        applied_at = time.time()
        await self.api.apply(self.example.release(version))
        await scene.until(f"an attempt of {version}", lambda: _attempt(scene) > before)
        await scene.until(f"{version} to be {expected}", lambda: _outcome(scene) is not None)
        if (outcome := _outcome(scene)) is not expected:
            reason = scene.status.attempt.reason if scene.status.attempt else ""
            raise StoryFailed(f"{version} should have been {expected}, but it is {outcome}: {reason}")
        if (stable := _stable(scene)) != GOOD:
            raise StoryFailed(f"{version} is {outcome}, but stable is {stable}, not {GOOD}")
        ended_at = time.time()
        return Release(version, _attempt(scene), begun_at, applied_at, ended_at, settled_at=ended_at)

    async def _everybody_on(self, version: str) -> Mapping[str, int]:
        """Wait until the service gives this version, and no other, in a span in which it served every company."""
        evaluations: Mapping[str, int] = {}
        while set(evaluations) != {version}:
            evaluations = await self._evaluations_of_a_round(f"all companies to be served by {version}")
        self._say("Served", f"all {len(COMPANIES)} companies are on {version}, by the service's own count")
        return evaluations

    async def _evaluations_of_a_round(self, what: str) -> Mapping[str, int]:
        before = self.scene.tally
        await self.scene.until(what, lambda: self.scene.tally.served_since(before, COMPANIES))
        return self.scene.tally.evaluations_since(before)

    def _say(self, reason: str, message: str) -> None:
        self.scene.saw_happening(Happening(time.time(), reason, message))


def _stable(scene: Scene) -> str:
    return scene.status.stable.version if scene.status.stable else ""


def _outcome(scene: Scene) -> Outcome | None:
    """How the attempt ended; None while it goes on, and while its way back does."""
    attempt = scene.status.attempt
    return attempt.outcome if attempt is not None and attempt.state is AttemptState.ENDED else None


def _attempt(scene: Scene) -> int:
    return scene.status.attempt.number if scene.status.attempt else 0
