"""A token that stands in a file, which is given another one from time to time. Sends nothing."""

from collections.abc import Callable
from pathlib import Path

import yaml
from kubernetes.aio.client.configuration import Configuration
from pydantic import BaseModel, Field, ValidationError


class _User(BaseModel):
    token_file: str | None = Field(None, alias="tokenFile")


class _NamedUser(BaseModel):
    name: str
    user: _User | None = None


class _Context(BaseModel):
    user: str | None = None


class _NamedContext(BaseModel):
    name: str
    context: _Context | None = None


class _Kubeconfig(BaseModel):
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
    current_context: str | None = Field(None, alias="current-context")


def token_file(kubeconfig: Path, context: str | None) -> Path | None:
    """The file of that context's token, the current one's where none is named; None where a token has no file.

    Raises OSError, and ValueError for what is no kubeconfig.
    """
    try:
        content = _Kubeconfig.model_validate(yaml.safe_load(kubeconfig.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError("it is no kubeconfig") from error
    chosen = context or content.current_context
    users = {each.context.user for each in content.contexts or () if each.name == chosen and each.context is not None}
    for each in content.users or ():
        if each.name in users and each.user is not None and each.user.token_file:
            return kubeconfig.absolute().parent / each.user.token_file
    return None


def read_before_each_request(file: Path) -> Callable[[Configuration], None]:
    """A hook that gives the client the token as it is now; while there is none to read, it keeps the last one.

    The client's own ways are to read it once, or once a minute: for so long a token that is worth nothing any more
    would be shown, and every way back refused.
    """

    def refresh(configuration: Configuration) -> None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return
        if token:
            configuration.api_key["BearerToken"] = f"Bearer {token}"

    return refresh
