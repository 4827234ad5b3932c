"""Reverts as the command finds them, for tests of what is printed."""

from headgate.cli.git_revert.revert import Revert
from headgate.engine.content import Content, canonical

PROMPT = "spec.prompt.version"
SERVING = "serving.kserve.io/v1beta1"


def of_prompt(good: str = "reply-v7", *bad: str, namespace: str = "ai") -> Revert:
    """Rollout reply goes back to that version."""
    rejected = bad or ("reply-v8",)
    return Revert(
        api_version="headgate.dev/v1alpha1",
        kind="Rollout",
        namespace=namespace,
        name="reply",
        good=Content(((PROMPT, canonical(good)),)),
        bad=Content(((PROMPT, canonical(rejected[0])),)),
        known=tuple(Content(((PROMPT, canonical(version)),)) for version in rejected),
        why=("reply-v8 was rejected in attempt 3: errors: 12 % above 5%", "headgate Rollout ai/reply: back"),
    )


def of_target(good: dict[str, object], bad: dict[str, object] | None = None) -> Revert:
    """InferenceService ranker holds these fields again; the value ``...`` stands for none."""
    return Revert(
        api_version=SERVING,
        kind="InferenceService",
        namespace="ai",
        name="ranker",
        good=_content(good),
        bad=_content(bad) if bad is not None else None,
        known=None,
        why=("ranker-123 was rejected", "back"),
        weights=("spec.predictor.canaryTrafficPercent",),
    )


def _content(fields: dict[str, object]) -> Content:
    held = {path: None if value is ... else canonical(value) for path, value in fields.items()}
    return Content(tuple(sorted(held.items())))
