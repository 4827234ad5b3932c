"""The webhooks of the operator's configuration: which there are, and which namespace may have which one called."""

from headgate.aftermath.posting import Poster
from headgate.api.configuration import Configuration, Webhook


class Webhooks:
    """All configured webhooks, by name."""

    def __init__(self, configuration: Configuration) -> None:
        self._configured = {hook.name: hook for hook in configuration.hooks}
        self._posters: dict[str, Poster] = {}

    def problem(self, name: str, namespace: str) -> str | None:
        """Why a Rollout of that namespace cannot have it called, in one line; None when it can."""
        found = self._allowed(name, namespace)
        return found if isinstance(found, str) else None

    def poster(self, name: str, namespace: str) -> Poster | str:
        """What posts to it, or why a Rollout of that namespace cannot have it called."""
        found = self._allowed(name, namespace)
        if isinstance(found, str):
            return found
        if name not in self._posters:
            self._posters[name] = Poster(found)
        return self._posters[name]

    async def close(self) -> None:
        """Closes the connections."""
        for poster in self._posters.values():
            await poster.close()

    def _allowed(self, name: str, namespace: str) -> Webhook | str:
        hook = self._configured.get(name)
        if hook is None:
            return f"webhook {name!r} is not in the operator's configuration: add it there, or name another"
        # A tenant need not learn who else uses it.
        if hook.namespaces and namespace not in hook.namespaces:
            return f"webhook {name!r} is not for namespace {namespace!r}: add it to its namespaces, or name another"
        return hook
