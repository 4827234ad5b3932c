"""Writes YAML that Kubernetes, and readers of YAML 1.1 besides, read as what was meant. Knows no object."""

import json
import re
from typing import TYPE_CHECKING, Final

import yaml

from headgate.cli.plain_scalars import is_text

if TYPE_CHECKING:
    from headgate.cluster.objects import JsonValue

BROKEN: Final = re.compile(r"[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\t")
"""What must not stand in a YAML text as it is, or would end its line."""
_STRING: Final = "tag:yaml.org,2002:str"


class _Dumper(yaml.SafeDumper):
    """PyYAML's, which by itself leaves ``1e3`` and ``y`` without quotes, and names what stands twice by an alias."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _string(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_STRING, text, style=None if is_text(text) else "'")


_Dumper.add_representer(str, _string)


def as_yaml(value: "JsonValue") -> str:
    """The value in block style, its fields in their order, each text on one line."""
    # PyYAML writes a NEL as it is, and reads it as a line's end.
    as_it_is = BROKEN.search(json.dumps(value, ensure_ascii=False)) is None
    written: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=as_it_is, width=10_000)
    return written
