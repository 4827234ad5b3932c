"""Finds what is to be reverted: the Rollout as it is now and, for a target, the snapshots of what it held."""

import asyncio
from functools import partial

from headgate.api.rollout_status import StableRef, TargetRef, VersionRef
from headgate.cli.failures import CommandError
from headgate.cli.git_revert.revert import Revert, asked_instead, of_prompt, of_target, stable_of, why_nothing
from headgate.cli.kube.connection import connect
from headgate.cli.kube.looking import look
from headgate.cli.kube.reaching import connected
from headgate.cli.kube.target import Target
from headgate.cluster.client import Client
from headgate.cluster.target_snapshots import TargetSnapshots, Unfit
from headgate.engine.content import Content
from headgate.engine.observation import Key, RolloutView


def find(target: Target, name: str) -> tuple[Key, Revert | str]:
    """What the repository must say again, or why nothing is to be reverted.

    Raises CommandError where there is no last good version, or its snapshot is gone or was tampered with.
    """
    with connect(target) as connection:
        view = look(connection, name).view
        stable, instead = stable_of(view), asked_instead(view)
        if instead is None:
            return view.key, why_nothing(view)
        if stable.target is None:
            family_of = partial(connection.rollouts.family, view.namespace)
            return view.key, of_prompt(view, instead, family_of)
    return view.key, asyncio.run(connected(target, partial(_of_target, view, stable, stable.target, instead)))


async def _of_target(
    view: RolloutView, stable: StableRef, ref: TargetRef, instead: VersionRef, client: Client
) -> Revert:
    snapshots = TargetSnapshots(client)
    try:
        good = await snapshots.content(view.namespace, stable.version, stable.digest)
    except Unfit as error:
        raise CommandError(f"{view.key}: {error.reason}: {error}") from error
    digests = {known.digest: known.version for known in view.status.rejected} | {instead.digest: instead.version}
    rejected = {digest: await _held(snapshots, view, version, digest) for digest, version in digests.items()}
    return of_target(view, ref, instead, good, rejected)


async def _held(snapshots: TargetSnapshots, view: RolloutView, version: str, digest: str) -> Content | None:
    """What was tried; None where its snapshot is gone."""
    try:
        return await snapshots.content(view.namespace, version, digest)
    except Unfit:
        return None
