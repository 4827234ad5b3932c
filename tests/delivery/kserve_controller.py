"""KServe's controller in miniature, after its knative reconciler and its status: who is served which model, when.

In its words: traffic goes to the latest *ready* revision by canaryTrafficPercent, the rest to LatestRolledoutRevision;
that moves when the latest ready one has 100 %, and goes back when a weight below 100 would split it with itself.
"""

from tests.delivery.memory_cluster import Document

PATH = "spec.predictor.canaryTrafficPercent"


class KServe:
    """One InferenceService's controller with the knative Service behind it."""

    def __init__(self, *, loading: int = 0) -> None:
        """``loading`` is how often it looks before a new revision is ready."""
        self._loading = loading
        self._created = 0
        self._models: dict[str, str] = {}
        self._templates: list[object] = []
        self._traffic: dict[str, int] = {}
        self._latest = 100
        self.slow = False
        """Whether new revisions take their time to become ready."""
        self.status = {
            "latestCreatedRevision": "",
            "latestReadyRevision": "",
            "latestRolledoutRevision": "",
            "previousRolledoutRevision": "",
        }

    def reconcile(self, obj: Document) -> None:
        """Runs until nothing changes any more."""
        self._created += 1
        for _ in range(6):
            self._once(obj)

    def served(self) -> dict[str, int]:
        """The share of each model, in %."""
        if not self.status["latestReadyRevision"]:
            return {}
        shares: dict[str, int] = {}
        for revision, share in self._by_revision().items():
            shares[self._models[revision]] = shares.get(self._models[revision], 0) + share
        return {model: share for model, share in shares.items() if share}

    def _once(self, obj: Document) -> None:
        predictor = dict(obj["spec"]["predictor"])
        canary = predictor.pop("canaryTrafficPercent", None)
        self._split(canary)
        self._create(predictor)
        if not self.slow and self._created >= self._loading:
            self.status["latestReadyRevision"] = self.status["latestCreatedRevision"]
        self._propagate()

    def _create(self, predictor: Document) -> None:
        if not self._templates or self._templates[-1] != predictor:
            self._templates.append(predictor)
            self._created = 0
            name = f"ranker-{len(self._templates):05}"
            self._models[name] = predictor["model"]["storageUri"]
            self.status["latestCreatedRevision"] = name

    def _split(self, canary: int | None) -> None:
        rest = self.status["latestRolledoutRevision"]
        if canary is None or not rest:
            self._latest, self._traffic = 100, {}
        else:
            self._latest, self._traffic = canary, {rest: 100 - canary}

    def _propagate(self) -> None:
        status, ready = self.status, self.status["latestReadyRevision"]
        if not ready:
            return
        if status["latestRolledoutRevision"] != ready:
            if self._latest == 100:
                status["previousRolledoutRevision"] = status["latestRolledoutRevision"]
                status["latestRolledoutRevision"] = ready
        elif ready == status["latestCreatedRevision"] and self._latest < 100 and self._by_revision()[ready] == 100:
            status["latestRolledoutRevision"] = status["previousRolledoutRevision"] or ready

    def _by_revision(self) -> dict[str, int]:
        ready = self.status["latestReadyRevision"]
        shares = dict(self._traffic)
        shares[ready] = shares.get(ready, 0) + self._latest
        return shares


def report(obj: Document, kserve: KServe) -> Document:
    """The object with KServe's status in it."""
    return {**obj, "status": {"components": {"predictor": dict(kserve.status)}}}
