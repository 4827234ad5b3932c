"""What can be said of a prompt's variables from its messages."""

import re
from collections.abc import Iterator

from headgate.api.prompt_version import PromptVersionSpec
from headgate.cli.lint.finding import Finding
from headgate.cli.lint.resource import Resource

_PLACEHOLDER = re.compile(r"\{\{\s*([a-zA-Z0-9][-_.a-zA-Z0-9]{0,62})\s*\}\}")


def prompt_findings(prompt: Resource[PromptVersionSpec]) -> Iterator[Finding]:
    """Warnings about variables that are used and not named, or named and not used."""
    if prompt.spec.variables is None:
        return
    used: set[str] = set()
    for index, message in enumerate(prompt.spec.messages):
        names = set(_PLACEHOLDER.findall(message.content))
        for name in sorted(names - used - set(prompt.spec.variables)):
            what = f"{{{{{name}}}}} is not among the variables"
            path = ("spec", "messages", index)
            yield prompt.warning(path, what, "the application learns from them what to fill in", "add it to variables")
        used |= names
    for index, name in enumerate(prompt.spec.variables):
        if name not in used:
            what = f"no message uses {{{{{name}}}}}"
            yield prompt.warning(("spec", "variables", index), what, "it would be filled in for nothing", "remove it")
