"""The engine's world with a target in it: an object that people edit, delete and create again."""

from dataclasses import dataclass, field, replace

from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import TargetRef
from headgate.controller.targets import unrestored
from headgate.engine.content import Content, content_of, version_name
from headgate.engine.decision import SpecRestore
from headgate.engine.observation import TargetView, Unrestored, VersionView
from headgate.engine.routing import Payload
from tests.engine.world import World, spec

MODEL = "spec.model"
FIELDS = [MODEL]


def target_spec(*fields: str, **changes: object) -> RolloutSpec:
    """Example 02's spec, in the short steps of these tests."""
    written = spec("v7").model_dump(by_alias=True, exclude_unset=True)
    del written["prompt"]
    target = {"apiVersion": "models.example.com/v1beta1", "kind": "InferenceService", "name": "ranker"}
    subject = {
        "target": {**target, "fields": list(fields or FIELDS)},
        "delivery": [{"field": {"path": "spec.canaryTrafficPercent"}}],
    }
    return RolloutSpec.model_validate(written | subject | changes)


@dataclass
class TargetWorld(World):
    """One Rollout that releases an object."""

    ranker: dict[str, object] | None = field(default_factory=lambda: dict[str, object](spec={"model": "m1"}))
    object_uid: str = "object-1"
    object_keeper: str | None = None
    unseen: tuple[str, str] | None = None
    """Reason and message of a target that is not to be seen."""
    refuses: str | None = None
    """Why a restore does not work."""
    contents: dict[str, Content] = field(default_factory=dict)

    def edit_object(self, **fields: object) -> None:
        """Somebody edits the object's spec; None removes a field."""
        assert self.ranker is not None
        held = self.ranker["spec"]
        assert isinstance(held, dict)
        self.ranker = {"spec": {name: value for name, value in {**held, **fields}.items() if value is not None}}

    def create_again(self, model: str) -> None:
        """Another object of that name."""
        self.ranker, self.object_uid = {"spec": {"model": model}}, f"{self.object_uid}-again"

    def version(self, **fields: object) -> str:
        """What the object is called with these fields."""
        return version_name("reply", content_of({"spec": fields}, FIELDS).digest)

    def model(self) -> object:
        """What is in the object's declared field."""
        held = self.ranker["spec"] if self.ranker is not None else None
        return held.get("model") if isinstance(held, dict) else None

    def target(self) -> TargetView | None:
        subject = self.spec.target
        if self.unseen is not None:
            return TargetView(reason=self.unseen[0], message=self.unseen[1])
        if subject is None:
            return None
        if self.ranker is None:
            return TargetView(reason="TargetNotFound", message="InferenceService ranker does not exist")
        stable = self.status.stable
        before = stable.target if stable is not None else None
        kept = before is not None and before.uid == self.object_uid
        fields = before.fields if before is not None and kept else subject.fields
        version, content, ref = self._seen(fields)
        rebased, rebased_ref = None, None
        if sorted(fields) != sorted(subject.fields):
            rebased, _, rebased_ref = self._seen(subject.fields)
        return TargetView(ref, version, content, rebased, rebased_ref, keeper=self.object_keeper)

    def versions_seen(self) -> dict[str, VersionView]:
        target = self.target()
        if target is None:
            return self.versions
        return {target.version.name: target.version} if target.version is not None else {}

    def _seen(self, fields: list[str]) -> tuple[VersionView, Content, TargetRef]:
        content = content_of(self.ranker or {}, fields)
        self.contents[content.digest] = content
        name = version_name("reply", content.digest)
        ref = TargetRef(
            api_version="models.example.com/v1beta1",
            kind="InferenceService",
            name="ranker",
            uid=self.object_uid,
            fields=sorted(fields),
        )
        return VersionView(name, self.object_uid, "", content.digest, Payload(), ready=True), content, ref

    def _restore(self, restore: SpecRestore) -> None:
        assert restore.target is not None
        if self.refuses is not None:
            self.memory = replace(self.memory, unrestored=self._failed(restore.attempt, self.refuses))
            return
        failed = self.memory.unrestored
        assert failed is None or failed.not_before <= self.now or failed.account != self.spec.service_account_name
        known = self.contents[restore.target.restored_digest]
        (text,) = [text for path, text in known.fields if path == MODEL]
        self.edit_object(model=text.strip('"') if text is not None else None)
        self.memory = replace(self.memory, restored=restore.attempt, unrestored=None)

    def _failed(self, attempt: int, message: str) -> Unrestored:
        account = self.spec.service_account_name
        return unrestored(self.memory.unrestored, attempt, "RestoreRefused", message, self.now, account=account)
