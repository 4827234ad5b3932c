"""The operator's own configuration file. Strict: an unknown key is an error; secrets are only named as files."""

import posixpath
import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from headgate.api.form import Form
from headgate.api.model import SpecModel
from headgate.api.quantities import Duration, ShortName, seconds
from headgate.api.rules import first_twice
from headgate.api.target_kind import TargetKind

_URL = Form(
    r"^https?://[^\s/?#@]+([/?#]\S*)?$",
    "is no address; write http://HOST:PORT or https://HOST:PORT, with no user or password in it",
)
_NAMESPACE = Form(
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    "is no name of a namespace; write lower-case letters, digits and - with a letter or digit at both ends",
)
_LABEL = Form(
    r"^[a-zA-Z_][a-zA-Z0-9_]*$",
    "is no name of a label; write letters, digits and _, beginning with a letter or _",
)
Url = Annotated[str, StringConstraints(max_length=2048), _URL.check]
Path = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Namespace = Annotated[str, StringConstraints(max_length=63), _NAMESPACE.check]
LabelName = Annotated[str, StringConstraints(max_length=128), _LABEL.check]
_LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[-.a-zA-Z0-9]+):[0-9]{1,5}")
_LAST_PORT = 65_535
_POD_TOKEN = re.compile(r"(/var)?/run/secrets/kubernetes\.io/serviceaccount/.*")


def _for_others(file: str) -> str:
    if _POD_TOKEN.fullmatch(posixpath.normpath(file)):
        raise ValueError(
            f"{file} is the pod's own token, which opens the API server; mount one that is made for this address"
        )
    return file


TokenFile = Annotated[Path, AfterValidator(_for_others)]


def _patience(timeout: str) -> str:
    if not 0.1 <= seconds(timeout) <= 120:
        raise ValueError(f"timeout: {timeout} is not between 100ms and 2m")
    return timeout


class Source(SpecModel):
    """A Prometheus that QualityGates may name."""

    name: ShortName
    """What gates call it."""
    url: Url
    """Its address."""
    timeout: Duration = "10s"
    """How long an answer may take."""
    namespaces: list[str] = []
    """Who may use it; empty: every namespace."""
    enforce_label: LabelName | None = None
    """A label whose matcher, with the Rollout's namespace, is put into every query."""
    bearer_token_file: TokenFile | None = None
    """A file with the token that it is asked with; never the pod's own."""
    ca_file: Path | None = None
    """A file with the authority that signed its certificate."""

    @field_validator("timeout")
    @classmethod
    def _some_time(cls, timeout: str) -> str:
        return _patience(timeout)


class AlertToken(SpecModel):
    """A bearer token of an Alertmanager, and whose Rollouts it may touch."""

    file: Path
    """A file with the token; a change of it counts at once."""
    namespaces: Annotated[list[Namespace], Field(min_length=1, max_length=1000)]
    """The namespaces of those Rollouts; a token is always bound to some."""


class Alerts(SpecModel):
    """Where Alertmanager's webhook is received."""

    listen: Annotated[str, StringConstraints(max_length=300)] = "0.0.0.0:9095"
    """The address and port; a host of IPv6 stands in brackets."""
    tokens: Annotated[list[AlertToken], Field(min_length=1, max_length=64)]
    """Who may post. Two tokens for the same namespaces let one be replaced by the other."""

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        if _LISTEN.fullmatch(listen) is None or int(listen.rpartition(":")[2]) > _LAST_PORT:
            raise ValueError(f"{listen!r} is no address to listen on; write ADDR:PORT, such as 0.0.0.0:9095")
        return listen

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port; port 0 takes a free one."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Watches(SpecModel):
    """How soon it is noticed that a watch tells nothing any more, or did not tell everything."""

    silence: Duration = "70s"
    """A watch that brought nothing for so long is begun anew. The API server sends a sign of life once a minute, so
    less than that begins each idle watch anew all the time."""
    resync: Duration = "10m"
    """How often everything is listed, which finds what a watch lost."""

    @field_validator("silence")
    @classmethod
    def _not_forever(cls, silence: str) -> str:
        if not 1 <= seconds(silence) <= 300:
            raise ValueError(f"silence: {silence} is not between 1s and 5m")
        return silence

    @field_validator("resync")
    @classmethod
    def _now_and_then(cls, resync: str) -> str:
        if not 1 <= seconds(resync) <= 86_400:
            raise ValueError(f"resync: {resync} is not between 1s and 1d")
        return resync


class Webhook(SpecModel):
    """A webhook that Rollouts may have called after a revert. They name it; only this file knows its address."""

    name: ShortName
    """What Rollouts call it."""
    url: Url | None = None
    """Its address."""
    url_file: Path | None = None
    """A file with its address, for one that is a secret; read anew at each post."""
    timeout: Duration = "10s"
    """How long one post may take."""
    namespaces: Annotated[list[Namespace], Field(max_length=1000)] = []
    """Who may have it called; empty: every namespace."""
    bearer_token_file: TokenFile | None = None
    """A file with the token that is sent along, read anew at each post; never the pod's own."""
    ca_file: Path | None = None
    """A file with the authority that signed its certificate."""

    @field_validator("timeout")
    @classmethod
    def _some_time(cls, timeout: str) -> str:
        return _patience(timeout)

    @model_validator(mode="after")
    def _one_address(self) -> "Webhook":
        if (self.url is None) == (self.url_file is None):
            raise ValueError("needs exactly one of url, urlFile; keep one of them")
        return self


class Configuration(SpecModel):
    """The whole file; every key is optional."""

    sources: Annotated[list[Source], Field(max_length=64)] = []
    """The Prometheus servers that gates may name."""
    targets: Annotated[list[TargetKind], Field(max_length=64)] = []
    """What a Rollout's spec.target, and its deliveries by field, may name; nothing when empty."""
    alerts: Alerts | None = None
    """Alertmanager's webhook; nothing listens when it is not given."""
    watches: Watches = Watches()
    """How soon a watch that fails is noticed."""
    hooks: Annotated[list[Webhook], Field(max_length=64)] = []
    """The webhooks that Rollouts may have called after a revert."""

    require_service_account_name: bool = False
    """Whether every Rollout must name a ServiceAccount (spec.serviceAccountName); nothing is written for others."""

    @field_validator("sources")
    @classmethod
    def _distinct(cls, sources: list[Source]) -> list[Source]:
        names = [source.name for source in sources]
        if len(set(names)) != len(names):
            raise ValueError("sources: two have the same name")
        return sources

    @field_validator("hooks")
    @classmethod
    def _hooks_once(cls, hooks: list[Webhook]) -> list[Webhook]:
        if twice := first_twice(hook.name for hook in hooks):
            raise ValueError(f"hooks: two are called {twice!r}; Rollouts name them; call one of them otherwise")
        return hooks

    @field_validator("targets")
    @classmethod
    def _kinds_once(cls, targets: list[TargetKind]) -> list[TargetKind]:
        if twice := first_twice((target.api_version, target.kind) for target in targets):
            raise ValueError(f"targets: {' '.join(twice)} stands twice; write all its fields in one")
        return targets

    def source(self, name: str) -> Source | None:
        """The source of that name."""
        return next((source for source in self.sources if source.name == name), None)
