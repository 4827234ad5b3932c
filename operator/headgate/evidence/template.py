"""A query of a gate, cut once at its ``$(name)`` parameters and selectors, and rendered for every look."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, assert_never

from headgate.evidence.escaping import CannotEscapeError, quoted_text
from headgate.evidence.grammar import NotUnderstoodError, Outline, Selector, Shape, read_query
from headgate.evidence.tokens import QueryTextError, Token, TokenKind, tokens_of

DURATION_PARAMETERS: Final = frozenset({"elapsed", "step"})
RESERVED_LABEL: Final = "headgate_id"
"""The label that tells the members of a coalesced query apart."""

_IN_STRING = re.compile(r"\$\(([^)]*)(\)?)")
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_NO_NUMBER: Final = {
    Shape.RANGE: "it answers with a range of samples, and a check needs one number: put it into rate(), increase() ...",
    Shape.TEXT: "it answers with text, and a check needs one number: write a query for one",
}
_COMPLETE_ESCAPES = re.compile(
    r"(?:[^\\]|\\(?:[abfnrtv\\'\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*\Z", re.DOTALL
)
_REGEX_OPERATORS = frozenset({"=~", "!~"})


class QueryError(ValueError):
    """A query cannot be asked; the message says why and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """A parameter inside quotes."""

    name: str
    quote: str
    regex: bool


@dataclass(frozen=True, slots=True)
class DurationPart:
    """A parameter that is a length of time."""

    name: str


@dataclass(frozen=True, slots=True)
class MatcherPart:
    """Where an enforced matcher goes, between what must stand around it."""

    before: str
    after: str


Part = str | TextPart | DurationPart | MatcherPart


@dataclass(frozen=True, slots=True)
class Template:
    """A query that was read. Only one without faults can be rendered."""

    query: str
    parts: tuple[Part, ...]
    faults: tuple[str, ...]
    """What is wrong with it and how to mend it, a line each."""
    names: frozenset[str]
    """The parameters that it uses."""
    shape: Shape | None
    """What it answers with; None when it is outside the known grammar."""
    not_understood: str
    """Why it is outside the known grammar."""

    def render(self, values: Mapping[str, str], matcher: tuple[str, str] | None = None) -> str:
        """The query with its parameters' values, and with the matcher ``(label, value)`` in each of its selectors.

        The values change no token: so shape and selectors hold for whatever they are.

        Raises:
            QueryError: it has faults, a value is missing or cannot be written, or the selectors are not known for sure.
        """
        if self.faults:
            raise QueryError(self.faults[0])
        if matcher is not None and self.shape is None:
            raise QueryError(
                f"the source's enforceLabel needs a query that can be read with certainty, and {self.not_understood}: "
                "write it more plainly"
            )
        enforced = f'{matcher[0]}="{quoted_text(matcher[1], chr(34), regex=False)}"' if matcher is not None else ""
        return "".join(_rendered(part, values, enforced) for part in self.parts)


def _rendered(part: Part, values: Mapping[str, str], enforced: str) -> str:
    match part:
        case str():
            return part
        case MatcherPart():
            return part.before + enforced + part.after if enforced else ""
        case DurationPart():
            return _value(part.name, values)
        case TextPart():
            try:
                return quoted_text(_value(part.name, values), part.quote, regex=part.regex)
            except CannotEscapeError as error:
                raise QueryError(f"the value of $({part.name}) {error}") from None
        case _:
            assert_never(part)


def _value(name: str, values: Mapping[str, str]) -> str:
    try:
        return values[name]
    except KeyError:
        raise QueryError(f"$({name}) has no value: add {name} to the gate's args") from None


@lru_cache(maxsize=4096)
def read_template(query: str) -> Template:
    """Reads a query; whatever is wrong with it is among its ``faults``."""
    try:
        tokens = tokens_of(query)
    except QueryTextError as error:
        return Template(query, (), (str(error),), frozenset(), None, "")
    faults = [fault for index in range(len(tokens)) for fault in _faults(tokens, index)]
    outline, not_understood = None, ""
    try:
        outline = read_query(tokens)
    except NotUnderstoodError as error:
        not_understood = str(error)
    if outline is not None and outline.shape in (Shape.RANGE, Shape.TEXT):
        faults.append(_NO_NUMBER[outline.shape])
    parts = tuple(_merged(_parts(query, tokens, outline)))
    names = frozenset(p.name for p in parts if isinstance(p, TextPart | DurationPart) and _NAME.match(p.name))
    return Template(query, parts, tuple(faults), names, outline.shape if outline else None, not_understood)


def _faults(tokens: tuple[Token, ...], index: int) -> Iterator[str]:
    token = tokens[index]
    where = f"at character {token.start + 1}"
    if RESERVED_LABEL in token.text:
        yield f"{RESERVED_LABEL!r} {where} is headgate's own label: choose another name"
    if token.kind is TokenKind.STRING:
        for found in _IN_STRING.finditer(token.text):
            yield from _faults_in_quotes(found, token.start + found.start() + 1)
            # After half an escape, the escaping of the value would be read as that escape's other half.
            if token.text[0] != "`" and not _COMPLETE_ESCAPES.match(token.text[: found.start()]):
                yield f"{found[0]} {where} follows an unfinished escape: write \\\\ for a backslash"
    elif token.kind is TokenKind.PARAMETER:
        name = token.text[2:-1]
        if not _NAME.match(name):
            yield f"{token.text} {where} is no parameter: write $(name), without spaces"
        elif name not in DURATION_PARAMETERS:
            yield f'{token.text} {where} stands outside quotes: write "{token.text}"'
        elif not _is_whole_duration(tokens, index):
            yield f"{token.text} {where} is a length of time: it stands alone inside [], as in [{token.text}]"


def _faults_in_quotes(found: re.Match[str], character: int) -> Iterator[str]:
    name, closed = found[1], found[2]
    where = f"at character {character}"
    if not closed or not _NAME.match(name):
        yield f"{found[0]!r} {where} is no parameter: write $(name), or [$]( for a regular expression's own $("
    elif name in DURATION_PARAMETERS:
        yield f"$({name}) {where} stands inside quotes: it is a length of time, write [$({name})] after a selector"


def _is_whole_duration(tokens: tuple[Token, ...], index: int) -> bool:
    before = tokens[index - 1].text if index else ""
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    return (before, after) in {("[", "]"), ("[", ":"), (":", "]")}


def _parts(query: str, tokens: tuple[Token, ...], outline: Outline | None) -> Iterator[Part]:
    selectors = {selector.position: selector for selector in outline.selectors} if outline else {}
    position = 0
    for index, token in enumerate(tokens):
        # Comments go: nothing may hide behind one when the query becomes a part of a longer one.
        yield "".join(_WITHOUT_COMMENTS.sub(" ", query[position : token.start]))
        position = token.end
        if token.kind is TokenKind.STRING:
            regex = index > 0 and tokens[index - 1].text in _REGEX_OPERATORS
            yield from _string_parts(token.text, regex=regex)
        elif token.kind is TokenKind.PARAMETER:
            yield DurationPart(token.text[2:-1])
        else:
            yield token.text
        if token.end in selectors:
            yield _matcher_part(selectors[token.end])


_WITHOUT_COMMENTS = re.compile(r"#[^\r\n]*")


def _string_parts(text: str, *, regex: bool) -> Iterator[Part]:
    position = 0
    for found in _IN_STRING.finditer(text):
        yield text[position : found.start()]
        yield TextPart(found[1], text[0], regex)
        position = found.end()
    yield text[position:]


def _matcher_part(selector: Selector) -> MatcherPart:
    if not selector.has_braces:
        return MatcherPart("{", "}")
    return MatcherPart("", "," if selector.has_matchers else "")


def _merged(parts: Iterator[Part]) -> Iterator[Part]:
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        if text:
            yield text
            text = ""
        yield part
    if text:
        yield text
