"""What `headgate status ROLLOUT` says of one that waits for nobody."""

import pytest

from headgate.cli.status.detail import detail
from headgate.cli.tables import Facts
from tests.cli.samples import NOW, Document, spec, status, view

SERVICE = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "name": "ranker"}
TARGET: Document = {
    "target": {**SERVICE, "fields": ["spec.predictor.model.storageUri"]},
    "delivery": [{"field": {"path": "spec.predictor.canaryTrafficPercent"}}],
    "steps": [{"weight": 100}],
}


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (spec("support-reply-v7"), "nothing; another spec.prompt.version starts a release"),
        (TARGET, "nothing; an edit of InferenceService ranker starts a release"),
    ],
    ids=["prompt", "target"],
)
def test_it_says_what_starts_a_release(subject: Document, said: str) -> None:
    head = detail(view(spec=subject, status=status(phase="Idle", weight=0)), NOW)[0]
    assert isinstance(head, Facts)
    assert dict(head.pairs)["Waiting for"].text == said
