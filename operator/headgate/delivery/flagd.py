"""Builds the flag of one Rollout in flagd's format: variants, targeting and the marks in its metadata. No I/O."""

from collections.abc import Mapping
from dataclasses import replace

from headgate.api.rollout import FlagDelivery, KillSwitch
from headgate.cluster.objects import Json, JsonValue
from headgate.delivery.fence import exposes
from headgate.engine.routing import ArmVersion, Payload, Routing

STABLE, CANDIDATE, SHADOW, LEGACY = "stable", "candidate", "shadow", "legacy"
"""The variants. ``shadow`` serves stable and names the candidate that the application shall try beside it."""

MARK = "headgate.dev/"
"""What headgate's keys in the metadata begin with."""

REVISION, ROLLOUT, UID, ATTEMPT = (f"{MARK}{word}" for word in ("revision", "rollout", "uid", "attempt"))
STABLE_VERSION, STABLE_DIGEST = f"{MARK}stable", f"{MARK}stable-digest"
WEIGHT, SHADOW_SHARE, KILL = f"{MARK}weight", f"{MARK}shadow", f"{MARK}kill"

WHOLE = 10_000
"""What the weights of a split add up to."""


def flag(routing: Routing, delivery: FlagDelivery, payloads: Mapping[str, Payload]) -> Json:
    """The flag that shows the routing.

    ``payloads`` is what the document shows by digest; a version without a payload of its own keeps that one.
    """
    stable = _with_payload(routing.stable, payloads)
    variants: Json = {STABLE: _value(STABLE, stable)}
    split: JsonValue = STABLE
    if exposes(routing):
        if routing.candidate is None:
            raise ValueError("a routing with a weight or a shadow needs a candidate")
        candidate = _with_payload(routing.candidate, payloads)
        shares = _shares(routing)
        if CANDIDATE in shares:
            variants[CANDIDATE] = _value(CANDIDATE, candidate)
        if SHADOW in shares:
            variants[SHADOW] = _value(STABLE, stable, shadow=candidate)
        split = _split(shares, delivery)
    legacy = routing.kill is KillSwitch.LEGACY
    if legacy:
        variants[LEGACY] = _value(LEGACY, None)
    return {
        "state": "ENABLED",
        "variants": variants,
        "defaultVariant": LEGACY if legacy else STABLE,
        "targeting": {} if split == STABLE else {"if": [_missing(delivery.key), STABLE, split]},
        "metadata": marks(routing),
    }


def marks(routing: Routing) -> Json:
    """The metadata: flat, since flagd allows only strings, numbers and booleans there."""
    return {
        REVISION: routing.revision,
        ROLLOUT: routing.rollout,
        UID: routing.uid,
        ATTEMPT: routing.attempt,
        STABLE_VERSION: routing.stable.version,
        STABLE_DIGEST: routing.stable.digest,
        WEIGHT: routing.weight if exposes(routing) else 0,
        SHADOW_SHARE: routing.shadow if exposes(routing) else 0,
        KILL: routing.kill.value,
    }


def _shares(routing: Routing) -> dict[str, int]:
    """The variants' shares out of 10,000 in the order of the split: whoever is in stays in while shares grow."""
    candidate = routing.weight * WHOLE // 100
    shadow = min(routing.shadow * WHOLE // 100, WHOLE - candidate)
    shares = {CANDIDATE: candidate, SHADOW: shadow, STABLE: WHOLE - candidate - shadow}
    return {variant: share for variant, share in shares.items() if share}


def _split(shares: Mapping[str, int], delivery: FlagDelivery) -> JsonValue:
    if len(shares) == 1:
        return next(iter(shares))  # a split of one is refused by older flagds
    bucket: JsonValue = {"cat": [delivery.salt or delivery.name, {"var": delivery.key}]}
    entries: list[JsonValue] = [[variant, share] for variant, share in shares.items()]
    return {"fractional": [bucket, *entries]}


def _missing(key: str) -> JsonValue:
    """True without a customer: ``cat`` would put all of them into one bucket, so they get stable until promotion."""
    return {"!": [{"var": key}]}


def _value(arm: str, version: ArmVersion | None, *, shadow: ArmVersion | None = None) -> Json:
    """A variant's value: always the same keys, null where there is nothing to say."""
    payload = (version.payload if version else None) or Payload()
    return {
        "version": version.version if version else None,
        "digest": version.digest if version else None,
        "arm": arm,
        "mode": None,
        "confidence": None,
        "shadow": _shadow(shadow) if shadow else None,
        "values": None,
        **payload_json(payload),
    }


def _shadow(version: ArmVersion) -> Json:
    return {"version": version.version, "digest": version.digest, **payload_json(version.payload or Payload())}


def payload_json(payload: Payload) -> Json:
    """The settings of a version as applications read them."""
    return {
        "compiled": payload.compiled,
        "model": payload.model,
        "seed": payload.seed,
        "temperature": payload.temperature,
    }


def _with_payload(version: ArmVersion, payloads: Mapping[str, Payload]) -> ArmVersion:
    return version if version.payload is not None else replace(version, payload=payloads.get(version.digest))
