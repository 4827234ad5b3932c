"""Makes text that a tenant wrote harmless to a terminal. Knows nothing of what the text is about."""

import unicodedata

_LINE_BREAKING = {"Zl", "Zp"}
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def visible(text: str) -> str:
    """The text with control, format and bidirectional characters written as escapes; line feeds and tabs too.

    Otherwise a name or a message could clear the screen, hide a line or show a version that it is not.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def one_line(text: str) -> str:
    """The same, with runs of blanks and line ends first made single blanks."""
    return visible(" ".join(text.split()))


def _escaped(character: str) -> str:
    if unicodedata.category(character) in _UNSEEN | _LINE_BREAKING:
        return character.encode("unicode_escape", "backslashreplace").decode()
    return character
