"""Writes the status of an object that headgate only keeps true, when it is not what it should be. Decides nothing."""

from pydantic import BaseModel

from headgate.cluster.metadata import Identity
from headgate.cluster.objects import Json, Kind, NotFound, Objects
from headgate.cluster.status_patch import dumped, merge_patch


async def write_status(objects: Objects, kind: Kind, who: Identity, known: BaseModel, wanted: BaseModel) -> Json | None:
    """The object as written; None when nothing was to be written, or the object is gone. Raises ClusterError.

    That includes Conflict, when somebody else wrote first: the look is to be tried again, because a label of theirs is
    no news that would bring another one about.
    """
    patch = merge_patch(dumped(known), dumped(wanted))
    if not patch:
        return None
    try:
        return await objects.merge_patch(
            kind,
            who.key.namespace,
            who.key.name,
            {"status": patch},
            resource_version=str(who.version),
            subresource="status",
        )
    except NotFound:
        return None
