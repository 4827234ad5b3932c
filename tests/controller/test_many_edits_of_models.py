"""I3 and the way back over random histories of targets: edited, made again, meddled with, written as an account."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from headgate.api.rollout import AlertAction
from headgate.api.rollout_status import AttemptState
from headgate.cluster.objects import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    ROLLOUT,
    ClusterError,
    Json,
    Kind,
    Refused,
    Unavailable,
)
from headgate.engine.alert_note import AlertNote
from headgate.engine.observation import Key
from tests.controller import documents
from tests.controller.models import MODEL, STEPS
from tests.controller.place import FIELD, FIELD_OF_RANKER, FLAG, OTHER_FLAG
from tests.controller.town import FLIGHT, NAMES, SETTINGS, Town

MODELS = ("ranker", "other")
WHICH = st.sampled_from(["ranker", "ranker", "other"])
CONTENTS = st.sampled_from(["m1", "m2", "m3"])
ACCOUNTS = st.sampled_from([None, None, "deployer", "another"])
TOLD = st.sampled_from([True, True, False])


def target(name: str, **more: object) -> dict[str, object]:
    return {"apiVersion": MODEL.api_version, "kind": MODEL.kind, "name": name, "fields": ["spec.model"], **more}


SUBJECTS: dict[str, dict[str, Any]] = {
    "ranker": {"target": target("ranker"), "delivery": [FIELD]},
    "ranker, with a flag": {"target": target("ranker"), "delivery": [FLAG, FIELD]},
    "ranker, at once": {"target": target("ranker", exposure="Immediate"), "delivery": [OTHER_FLAG]},
    "other": {"target": target("other"), "delivery": [FIELD]},
    "other, with a flag": {"target": target("other"), "delivery": [FIELD, FLAG]},
    "a prompt": {"delivery": [FLAG]},
    "a prompt in ranker": {"delivery": [FIELD_OF_RANKER]},
}
SUBJECT = st.sampled_from(sorted(SUBJECTS))


class Models(Town):
    """Two models and two flags."""

    def __init__(self) -> None:
        super().__init__()
        self._edited: dict[str, datetime] = {}

    def document(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        document = documents.rollout(
            asked.get("version", "v1"),
            name=name,
            gates=[],
            steps=STEPS,
            bakeFor="30s",
            killSwitch=asked["killSwitch"],
            serviceAccountName=asked["account"],
            paused=asked.get("paused", False),
            **SUBJECTS[asked["subject"]],
        )
        if "target" in document["spec"]:
            del document["spec"]["prompt"]
        return document

    @initialize(subject=SUBJECT, content=CONTENTS, account=ACCOUNTS)
    def a_release_goes_on_already(self, subject: str, content: str, account: str | None) -> None:
        self.is_begun("old", subject=subject, account=account)
        self.look(1)
        self.apply("old", version="v2")
        self._edit("other" if subject.startswith("other") else "ranker", content, told=True)
        self.look(1, 11)

    @rule(name=WHICH, content=CONTENTS, told=TOLD)
    def somebody_edits_a_model(self, name: str, content: str, *, told: bool) -> None:
        self._edit(name, content, told=told)

    @rule(name=WHICH, content=CONTENTS)
    def somebody_releases_a_model(self, name: str, content: str) -> None:
        self._edit(name, content, told=True)
        self.look(1, 11)

    @rule(name=WHICH, field=st.sampled_from(["weight", "replicas"]), value=st.sampled_from([0, 30, 100]), told=TOLD)
    def somebody_writes_another_field(self, name: str, field: str, value: int, *, told: bool) -> None:
        if self._is_there(name):
            raw = self.house.cluster.at(MODEL, name)
            raw["spec"][field] = value
            self._stored(raw, told=told)

    @rule(name=WHICH, told=TOLD)
    def a_model_is_deleted(self, name: str, *, told: bool) -> None:
        if self._is_there(name):
            raw = self.house.cluster.at(MODEL, name)
            self.place.is_deleted_unseen(MODEL, name)
            if told:
                self.house.store.documents.watched(MODEL, raw, deleted=True)

    @rule(name=WHICH, content=CONTENTS, told=TOLD)
    def a_model_is_made_again(self, name: str, content: str, *, told: bool) -> None:
        self.a_model_is_deleted(name, told=told)
        self.births += 1
        self._edited[name] = self.house.time
        metadata: Json = {"name": name, "uid": f"object-{self.births}-again"}
        spec: Json = {"model": content, "weight": 0}
        self._stored(
            {"apiVersion": MODEL.api_version, "kind": MODEL.kind, "metadata": metadata, "spec": spec}, told=told
        )

    @rule()
    def the_watch_tells_all(self) -> None:
        super().the_watch_tells_all()
        for name in MODELS:
            if not self._is_there(name) and (seen := self.house.store.documents.seen(MODEL, "ai", name)):
                self.house.store.documents.watched(MODEL, seen, deleted=True)

    @rule(name=NAMES, subject=SUBJECT, account=ACCOUNTS)
    def somebody_applies_one(self, name: str, subject: str, account: str | None) -> None:
        self.applied(name, {"subject": subject, "account": account}, subject=subject)

    @rule(name=NAMES, account=ACCOUNTS)
    def somebody_names_an_account(self, name: str, account: str | None) -> None:
        if self.exists(name):
            self.apply(name, account=account)

    @rule(name=NAMES, paused=st.booleans())
    def somebody_pauses(self, name: str, *, paused: bool) -> None:
        if self.exists(name):
            self.apply(name, paused=paused)

    @rule(name=NAMES, action=st.sampled_from([AlertAction.ROLLBACK, AlertAction.PAUSE]))
    def an_alert_fires(self, name: str, action: AlertAction) -> None:
        if self.exists(name):
            raw = self.house.cluster.at(ROLLOUT, name)
            since = self.house.time.isoformat().replace("+00:00", "Z")
            key = f"{raw['metadata']['uid']}/{action}/{since}"
            note = AlertNote(raw.get("status", {}).get("attempts", 0), action, key, "Slow", "Slow: 4 s")
            self.place.ask(name, alert=note.written())

    @rule(name=NAMES, subject=SUBJECT, account=ACCOUNTS, restart=st.booleans())
    def one_is_made_again_unseen(self, name: str, subject: str, account: str | None, *, restart: bool) -> None:
        self.made_again(name, restart=restart, subject=subject, account=account)

    @rule(
        which=st.sampled_from(
            [(CONFIG_MAP, ""), (MODEL, ""), (MODEL, ""), (CONTROLLER_REVISION, ""), (ROLLOUT, ""), (ROLLOUT, "status")]
        ),
        error=st.sampled_from([Unavailable("a webhook is down"), Refused("a policy")]),
    )
    def something_cannot_be_written(self, which: tuple[Kind, str], error: ClusterError) -> None:
        self.house.cluster.fault = lambda kind, subresource: error if (kind, subresource) == which else None

    @rule(kinds=st.sampled_from([(MODEL,), (CONFIG_MAP,), (MODEL, CONFIG_MAP)]))
    def the_account_may_not(self, kinds: tuple[Kind, ...]) -> None:
        self.house.cluster.forbidden = lambda account, kind: (
            "it may not" if account == "ai/deployer" and kind in kinds else None
        )

    def untrue(self, name: str) -> Iterator[str]:
        yield from super().untrue(name)
        view = self.house.store.rollouts.get(Key("ai", name))
        seen = self.house.store.target_of(view) if view is not None else None
        if seen is None or seen.version is None or seen.ref is None:
            return
        status, held, object_ = self.place.status(name), seen.version.digest, seen.ref.name
        said = {each["type"]: each for each in status["conditions"]}
        attempt, rejected = status.get("attempt", {}), {each["digest"] for each in status.get("rejected", ())}
        if attempt.get("state") in FLIGHT:
            return
        asked, stable = self.asked[name], status.get("stable", {}).get("digest")
        waits = asked["killSwitch"] != "Off" or asked.get("paused") or said["Stalled"]["status"] == "True"
        if held != stable and not waits:
            yield f"{name} says nothing of what is in {object_}"
        tried_here = status.get("stable", {}).get("target", {}).get("uid") == seen.ref.uid
        edited = self._edited.get(object_)
        untouched = tried_here and (edited is None or _written(edited) < attempt.get("startedAt", ""))
        if attempt.get("state") == AttemptState.ENDED and held in rejected and untouched:
            yield f"{name} left in {object_} what it has rejected"
        weighs = FIELD in SUBJECTS[asked["subject"]]["delivery"] and said["Delivered"]["status"] == "True"
        if weighs and asked["killSwitch"] != "Legacy" and self.place.model(object_)["weight"] != 0:
            yield f"{name} says that nobody is served the candidate by {object_}, which has a weight"

    def _is_there(self, name: str) -> bool:
        return (MODEL, "ai", name) in self.house.cluster.objects

    def _edit(self, name: str, content: str, *, told: bool) -> None:
        if self._is_there(name):
            raw = self.house.cluster.at(MODEL, name)
            if raw["spec"]["model"] != content:
                self._edited[name] = self.house.time
            raw["spec"]["model"] = content
            self._stored(raw, told=told)

    def _stored(self, raw: Json, *, told: bool) -> None:
        raw = self.house.cluster.put(MODEL, raw)
        if told:
            self.house.tell(MODEL, raw)


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


TestModels = Models.TestCase
TestModels.settings = SETTINGS
