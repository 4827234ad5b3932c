"""How a value is written inside a PromQL string, so that Prometheus reads back exactly the value and never more."""

import re

_PLAIN = re.compile(r"[ !#-&(-\[\]-_a-~]*\Z")
_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_REPLACEMENT_CHARACTER = "\ufffd"


class CannotEscapeError(ValueError):
    """The value has a character that these quotes cannot hold; the message says which and what to do."""


def quoted_text(value: str, quote: str, *, regex: bool) -> str:
    """The text to put between two ``quote`` characters (``"``, ``'`` or a backquote) for a value.

    With ``regex`` the value is first made a regular expression (RE2) that matches it alone.

    Raises:
        CannotEscapeError: backquotes know no escapes, or the value is no Unicode text.
    """
    if regex:
        value = _RE2_SPECIAL.sub(r"\\\g<0>", value)
    if _PLAIN.match(value):
        return value
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise CannotEscapeError("has half of a surrogate pair, which is no character: remove it")
    if quote == "`":
        # Prometheus takes U+FFFD for a sign of broken UTF-8, and backquotes know no escape for it.
        for character in (quote, _REPLACEMENT_CHARACTER):
            if character in value:
                raise CannotEscapeError(f"has a {character}, which cannot stand inside backquotes: use double quotes")
        return value
    return "".join(_escaped(character, quote) for character in value)


def _escaped(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return "\\" + character
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
