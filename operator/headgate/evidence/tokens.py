"""PromQL cut into tokens, exactly where Prometheus' own lexer cuts it; knows no grammar and no parameter's value.

Anything that Prometheus would refuse or read otherwise is refused here, so that whoever builds on the tokens may trust
that a quote closes where it seems to close. ``$(name)`` is the one addition: headgate's parameters.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class TokenKind(StrEnum):
    """What a token is."""

    WORD = "Word"
    NUMBER = "Number"
    """A number or a duration."""
    STRING = "String"
    SIGN = "Sign"
    PARAMETER = "Parameter"
    """A ``$(name)`` outside quotes."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query that stands at ``start``."""

    kind: TokenKind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the next character stands."""
        return self.start + len(self.text)


class QueryTextError(ValueError):
    """The text cannot be cut into tokens; the message says why, where (counted from 1) and what to do."""


# Prometheus knows these four as space, ends a comment at either of the last two, and takes only ASCII for letters.
_SKIPPED = r"(?P<skipped>[ \t\r\n]+|\#[^\r\n]*)"
_STRING = r"""(?P<String>"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`)"""
_NUMBER = (
    r"(?P<Number>(?:[0-9]+(?:ms|[smhdwy]))+(?![a-zA-Z0-9_.])"
    r"|(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![a-zA-Z0-9_.]))"
)
_PARAMETER = r"(?P<Parameter>\$\([^)\r\n\"'`]*\))"
_SIGN = r"(?P<Sign>=~|!~|==|!=|<=|>=|[-+*/%^=<>(){}\[\],@])"
_TOKEN = re.compile(rf"{_SKIPPED}|{_STRING}|(?P<Word>[a-zA-Z_:][a-zA-Z0-9_:]*)|{_NUMBER}|{_PARAMETER}|{_SIGN}")
# In brackets a colon parts a subquery's range from its step; elsewhere it belongs to a recorded metric's name.
_TOKEN_IN_BRACKETS = re.compile(
    rf"{_SKIPPED}|{_STRING}|(?P<Word>[a-zA-Z_][a-zA-Z0-9_]*)|{_NUMBER}|{_PARAMETER}|{_SIGN[:-1]}|:)"
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def tokens_of(query: str) -> tuple[Token, ...]:
    """The tokens of a query, without spaces and comments; every bracket is known to be closed by its like.

    Raises:
        QueryTextError: a quote or bracket is not closed, or a character is none of PromQL's.
    """
    tokens: list[Token] = []
    open_brackets: list[Token] = []
    position = 0
    while position < len(query):
        inside = open_brackets[-1].text if open_brackets else ""
        found = (_TOKEN_IN_BRACKETS if inside == "[" else _TOKEN).match(query, position)
        if found is None:
            raise QueryTextError(_what_is_wrong(query, position))
        position = found.end()
        kind = found.lastgroup
        if kind is None or kind == "skipped":
            continue
        token = Token(TokenKind(kind), found[0], found.start())
        _follow_brackets(token, open_brackets)
        tokens.append(token)
    if open_brackets:
        last = open_brackets[-1]
        raise QueryTextError(
            f"the {last.text!r} at character {last.start + 1} is never closed: write its {_CLOSING[last.text]!r}"
        )
    return tuple(tokens)


def _follow_brackets(token: Token, open_brackets: list[Token]) -> None:
    if token.kind is not TokenKind.SIGN:
        return
    if token.text in _CLOSING:
        open_brackets.append(token)
    elif token.text in _CLOSING.values():
        if not open_brackets or _CLOSING[open_brackets[-1].text] != token.text:
            raise QueryTextError(
                f"the {token.text!r} at character {token.start + 1} closes nothing: remove it, or write what it closes"
            )
        open_brackets.pop()


def _what_is_wrong(query: str, position: int) -> str:
    character = query[position]
    where = f"at character {position + 1}"
    if character in "\"'`":
        return f"the quote {character} {where} is never closed on its line: close it"
    if query.startswith("$(", position):
        return f"the $( {where} is never closed: write $(name)"
    return f"{character!r} {where} is not PromQL: remove it, or put it in quotes"
