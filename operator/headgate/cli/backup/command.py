"""`headgate backup` and `headgate restore` as typer sees them."""

from pathlib import Path
from typing import Annotated

import typer

from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.kube.target import Target
from headgate.cli.options import AllNamespaces, Context, DryRun, DryRunOption, Kubeconfig, Namespace


def backup_command(
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; stdout when not given.")
    ] = None,
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Save Rollouts with their statuses, gates, versions, records, manifests and flag documents, with checksums."""
    import asyncio

    from headgate.cli.backup import archive as archives
    from headgate.cli.backup.collecting import Collecting
    from headgate.cli.kube.reaching import connected, namespace_of
    from headgate.cli.printing import note

    target = Target(kubeconfig, context, namespace)
    chosen = None if all_namespaces else namespace_of(target)
    archive = asyncio.run(connected(target, lambda client: Collecting(client, chosen).archive()))
    if not archive.objects:
        where = f"namespace {chosen}" if chosen is not None else "the cluster"
        raise CommandError(f"{where} holds nothing of headgate's; nothing was saved")
    if output is None:
        # As bytes: a terminal's encoding must not make a question mark of what was saved.
        typer.echo(archives.written(archive).encode(), nl=False)
    else:
        archives.save(archive, output)
    note(f"saved {len(archive.objects)} objects, {len(archive.active)} of them Rollouts")


def restore_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `headgate backup` wrote.")],
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only check the checksums and what they hold; ask no cluster.")
    ] = False,
    dry_run: DryRunOption = DryRun.NONE,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Write a backup into a cluster that has none of it, while the operator is stopped. Exposes nobody to anything."""
    import asyncio

    from headgate.cli.backup import archive as archives
    from headgate.cli.backup.checking import damaged, incomplete
    from headgate.cli.backup.restoring import Restoring
    from headgate.cli.kube.reaching import connected
    from headgate.cli.printing import note

    archive = archives.read(file)
    faults = list(damaged(archive))
    for fault in faults:
        note(f"damaged: {fault}")
    for gap in incomplete(archive):
        note(f"incomplete: {gap}")
    if faults:
        raise CommandError(f"{file}: {len(faults)} objects are damaged; take another backup", ExitStatus.FAILED)
    if verify:
        print(f"{file}: sound, {len(archive.objects)} objects of {archive.taken_at}")
        return
    target = Target(kubeconfig, context)
    done = asyncio.run(connected(target, lambda client: Restoring(client, archive, dry_run).restore()))
    for rollout in done.by_record:
        note(f"{rollout}: its status is left to the operator, which goes on from the record")
    print(f"restored {done.created} objects; {done.there} were there{dry_run.mark}")
