"""Reads what a flag of flagd's format shows, whoever wrote it; in doubt it exposes as much as it could. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from headgate.cluster import shape
from headgate.cluster.objects import Json, JsonValue
from headgate.delivery import flagd
from headgate.delivery.fence import stands
from headgate.engine.routing import ArmVersion, Payload, Routing

_LARGEST_WEIGHT = 2**31 - 1
"""flagd's weights are numbers of 32 bits; with others nobody knows who is served what."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one flag shows."""

    rollout: str | None
    """The Rollout that its marks name; None without marks."""
    uid: str
    """That Rollout's; empty where the marks do not say it."""
    revision: int | None
    stable: ArmVersion | None
    """The stable version that its marks, or else its variant, name."""
    weight: int
    """The share of customers, in % rounded up, that is served another version than stable."""
    shadow: int
    """The share of customers, in % rounded up, for whom the application tries the candidate as well."""
    exposed: frozenset[str]
    """Digests that somebody is served."""
    payloads: Mapping[str, Payload]
    """The settings shown with each digest."""


def read(flag: Mapping[str, JsonValue]) -> Shown:
    """What the flag shows. A rule of a shape that headgate never writes counts as serving everybody every variant."""
    metadata = shape.mapping(flag.get("metadata"))
    values = {name: shape.mapping(value) for name, value in shape.mapping(flag.get("variants")).items()}
    payloads: dict[str, Payload] = {}
    for value in values.values():
        for part in (value, shape.mapping(value.get("shadow"))):
            if digest := shape.text(part.get("digest")):
                payloads.setdefault(digest, payload(part))
    stable = _stable(metadata, values.get(flagd.STABLE, {}), payloads)
    served = _served(flag, values.keys()) if flag.get("state") != "DISABLED" else {}
    weight = shadow = 0.0
    exposed: set[str] = set()
    for variant, share in served.items():
        value = values.get(variant, {})
        digest = shape.text(value.get("digest"))
        if digest is None or not share:
            continue
        exposed.add(digest)
        weight += share if stable is None or digest != stable.digest else 0
        shadow += share if value.get("shadow") is not None else 0
    return Shown(
        rollout=shape.text(metadata.get(flagd.ROLLOUT)),
        uid=shape.text(metadata.get(flagd.UID)) or "",
        revision=shape.whole(metadata.get(flagd.REVISION)),
        stable=stable,
        weight=min(100, ceil(weight)),
        shadow=min(100, ceil(shadow)),
        exposed=frozenset(exposed),
        payloads=payloads,
    )


def payload(value: Mapping[str, JsonValue]) -> Payload:
    """The settings in a variant's value."""
    return Payload(
        compiled=shape.text(value.get("compiled")),
        model=shape.text(value.get("model")),
        seed=shape.whole(value.get("seed")),
        temperature=shape.text(value.get("temperature")),
    )


def shows(flag: Mapping[str, JsonValue], shown: Shown, wanted: Json, routing: Routing) -> bool:
    """Whether the flag is the wanted one but for the count of revisions and attempts, which may lag behind."""
    if not stands(shown.revision, routing):
        return False
    lagging = {**shape.mapping(wanted["metadata"])}
    lagging[flagd.REVISION] = shown.revision
    attempt = shape.whole(shape.at(flag.get("metadata"), flagd.ATTEMPT))
    if attempt is not None:
        lagging[flagd.ATTEMPT] = attempt
    return dict(flag) == {**wanted, "metadata": lagging}


def _stable(
    metadata: Mapping[str, JsonValue], value: Mapping[str, JsonValue], payloads: Mapping[str, Payload]
) -> ArmVersion | None:
    for source, version_key, digest_key in (
        (metadata, flagd.STABLE_VERSION, flagd.STABLE_DIGEST),
        (value, "version", "digest"),
    ):
        version, digest = shape.text(source.get(version_key)), shape.text(source.get(digest_key))
        if version and digest:
            return ArmVersion(version, digest, payloads.get(digest))
    return None


def _served(flag: Mapping[str, JsonValue], variants: Iterable[str]) -> dict[str, float]:
    """The share of customers that each variant is served to, in %."""
    default = shape.text(flag.get("defaultVariant"))
    everybody = {default: 100.0} if default else {}
    targeting = flag.get("targeting")
    if targeting is None or targeting == {}:
        return everybody
    split = _by_rule(targeting, everybody)
    return dict.fromkeys(variants, 100.0) if split is None else split


def _by_rule(rule: JsonValue, default: dict[str, float]) -> dict[str, float] | None:
    """The shares by a rule; None when it has no shape that headgate writes."""
    match rule:
        case str():
            return {rule: 100.0}
        case None:
            return default
        case {"if": [{"!": [{"var": str()}]}, flagd.STABLE, otherwise], **more} if not more:
            return _by_rule(otherwise, default)
        case {"fractional": [{"cat": [str(), {"var": str()}]}, *entries], **more} if not more:
            return _by_weights(entries)
        case _:
            return None


def _by_weights(entries: Sequence[JsonValue]) -> dict[str, float] | None:
    shares: dict[str, float] = {}
    for entry in entries:
        match entry:
            case [str() as variant, int() as weight] if 0 <= weight <= _LARGEST_WEIGHT:
                shares[variant] = shares.get(variant, 0) + weight
            case _:
                return None
    total = sum(shares.values())
    return {variant: 100.0 * weight / total for variant, weight in shares.items()} if total else None
