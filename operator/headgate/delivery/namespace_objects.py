"""The objects of one namespace as routers see them: what was last seen, and what is there now. Knows no router."""

from dataclasses import dataclass

from headgate.cluster.objects import Documents, Json, Kind, NotFound, Objects


@dataclass(frozen=True, slots=True)
class NamespaceObjects:
    """One namespace of the cluster."""

    namespace: str
    objects: Objects
    documents: Documents
    only_lowers: bool = False
    """Whether exposure alone is taken back: nothing that is missing is made, and no backend is told what to run."""

    def seen(self, kind: Kind, name: str) -> Json | None:
        """The object as it was last seen; None when it was never seen or is gone."""
        return self.documents.seen(kind, self.namespace, name)

    async def fetch(self, kind: Kind, name: str) -> Json | None:
        """The object as it is now; None when it, or its whole kind, is not there. Raises ClusterError."""
        try:
            found = await self.objects.get(kind, self.namespace, name)
        except NotFound:
            self.documents.gone(kind, self.namespace, name)
            return None
        self.documents.saw(kind, found)
        return found
