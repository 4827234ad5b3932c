"""What PromQL's grammar says of a query: the kind of its answer, and where its selectors are.

A recogniser of the part of the language that gates are written in. What it does not know for certain, it refuses, which
is what makes its answer fit to build on: everything that it accepts, Prometheus reads in the same way.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from headgate.evidence.tokens import Token, TokenKind


class Shape(StrEnum):
    """What a query answers with."""

    SCALAR = "Scalar"
    VECTOR = "Vector"
    RANGE = "Range"
    TEXT = "Text"


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector's place: one more matcher goes to ``position``, in braces of its own or before those there."""

    position: int
    has_braces: bool
    has_matchers: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """A query that was understood."""

    shape: Shape
    selectors: tuple[Selector, ...]


class NotUnderstoodError(ValueError):
    """The query is outside the grammar known here; the message says from where on."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AGGREGATIONS: Final = _words(
    "sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio"
)
_SET_AND_ATAN: Final = frozenset({"and", "or", "unless", "atan2"})
_OPERATORS: Final = _words("+ - * / % ^ == != <= >= < >")
_COMPARISONS: Final = _words("== != <= >= < >")
# Prometheus lets most of these name a metric too; here they never do, since then a query would have two readings.
_KEYWORDS: Final = (
    _AGGREGATIONS
    | _SET_AND_ATAN
    | _words(
        "offset smoothed anchored by without on ignoring group_left group_right fill fill_left fill_right bool"
        " start end step range max_of min_of inf nan"
    )
)
_SCALAR_FUNCTIONS: Final = frozenset({"time", "pi", "scalar"})
# Not `info`: it reads series that no selector of the query names.
_FUNCTIONS: Final = _SCALAR_FUNCTIONS | _words(
    "abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp clamp_max clamp_min"
    " cos cosh count_over_time days_in_month day_of_month day_of_week day_of_year deg delta deriv exp first_over_time"
    " floor histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar histogram_fraction"
    " histogram_quantile histogram_quantiles double_exponential_smoothing holt_winters hour idelta increase irate"
    " label_replace label_join last_over_time ln log10 log2 mad_over_time max_over_time min_over_time"
    " ts_of_first_over_time ts_of_max_over_time ts_of_min_over_time ts_of_last_over_time minute month predict_linear"
    " present_over_time quantile_over_time rad rate resets round sgn sin sinh sort sort_desc sort_by_label"
    " sort_by_label_desc sqrt start_timestamp stddev_over_time stdvar_over_time sum_over_time tan tanh timestamp"
    " vector year"
)
_DEEPEST: Final = 64
"""Nesting beyond this is refused; Python's own stack ends not far above."""
_END: Final = Token(TokenKind.SIGN, "", -1)


def read_query(tokens: tuple[Token, ...]) -> Outline:
    """Reads a whole query; a duration parameter stands where a duration could.

    Raises:
        NotUnderstoodError: it is no PromQL, or a part of PromQL that is not known here.
    """
    reader = _Reader(tokens)
    shape = reader.expression()
    reader.expect_end()
    return Outline(shape, tuple(reader.selectors))


@dataclass(slots=True)
class _Reader:
    tokens: tuple[Token, ...]
    index: int = 0
    depth: int = 0
    selectors: list[Selector] = field(default_factory=list)

    def expression(self) -> Shape:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotUnderstoodError(f"it is nested deeper than {_DEEPEST} levels")
        shape = self._operand()
        while (operator := self._operator()) is not None:
            is_bool = self._matching(operator)
            right = self._operand()
            if shape is not Shape.SCALAR or right is not Shape.SCALAR:
                shape = Shape.VECTOR
            elif operator in _SET_AND_ATAN - {"atan2"} or (operator in _COMPARISONS and not is_bool):
                raise self._refusal()
        self.depth -= 1
        return shape

    def expect_end(self) -> None:
        if self._next is not _END:
            raise self._refusal()

    @property
    def _next(self) -> Token:
        return self.tokens[self.index] if self.index < len(self.tokens) else _END

    @property
    def _word(self) -> str:
        return self._next.text.lower() if self._next.kind is TokenKind.WORD else ""

    def _is(self, sign: str) -> bool:
        return self._next.kind is TokenKind.SIGN and self._next.text == sign

    def _take(self) -> Token:
        token = self._next
        self.index += 1
        return token

    def _took(self, sign: str) -> bool:
        if self._is(sign):
            self.index += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise self._refusal()

    def _refusal(self) -> NotUnderstoodError:
        if self._next is _END:
            return NotUnderstoodError("it ends too early")
        return NotUnderstoodError(f"{self._next.text!r} at character {self._next.start + 1} is not understood there")

    def _operator(self) -> str | None:
        token = self._next
        if token.kind is TokenKind.SIGN and token.text in _OPERATORS:
            return self._take().text
        if self._word in _SET_AND_ATAN:
            return self._take().text.lower()
        return None

    def _matching(self, operator: str) -> bool:
        """Reads what may stand between an operator and its right side; tells whether it says `bool`."""
        is_bool = operator in _COMPARISONS and self._word == "bool"
        if is_bool:
            self._take()
        if self._word in ("on", "ignoring"):
            self._take()
            self._labels()
            if self._word in ("group_left", "group_right"):
                self._take()
                if self._is("("):
                    self._labels()
        return is_bool

    def _operand(self) -> Shape:
        while self._took("+") or self._took("-"):
            pass
        shape = self._primary()
        while True:
            if self._took("["):
                self._range()
                shape = Shape.RANGE
            elif self._word == "offset":
                self._take()
                if not self._took("-"):
                    self._took("+")
                self._number()
            elif self._took("@"):
                self._moment()
            else:
                return shape

    def _primary(self) -> Shape:
        token = self._next
        match token.kind:
            case TokenKind.NUMBER:
                self._take()
                return Shape.SCALAR
            case TokenKind.STRING:
                self._take()
                return Shape.TEXT
            case TokenKind.SIGN if self._took("("):
                shape = self.expression()
                self._expect(")")
                return shape
            case TokenKind.SIGN if self._is("{"):
                return self._selector()
            case TokenKind.WORD:
                return self._named()
            case _:
                raise self._refusal()

    def _named(self) -> Shape:
        word = self._word
        if word in ("inf", "nan"):
            self._take()
            return Shape.SCALAR
        if word in _AGGREGATIONS:
            return self._aggregation()
        if word in _KEYWORDS:
            raise self._refusal()
        following = self.tokens[self.index + 1] if self.index + 1 < len(self.tokens) else _END
        if following.kind is not TokenKind.SIGN or following.text != "(":
            return self._selector()
        if self._next.text not in _FUNCTIONS:
            raise self._refusal()
        name = self._take().text
        self._arguments()
        return Shape.SCALAR if name in _SCALAR_FUNCTIONS else Shape.VECTOR

    def _aggregation(self) -> Shape:
        self._take()
        grouped = self._word in ("by", "without")
        if grouped:
            self._take()
            self._labels()
        self._arguments()
        if not grouped and self._word in ("by", "without"):
            self._take()
            self._labels()
        return Shape.VECTOR

    def _arguments(self) -> None:
        self._expect("(")
        if self._took(")"):
            return
        self.expression()
        while self._took(","):
            self.expression()
        self._expect(")")

    def _labels(self) -> None:
        self._expect("(")
        while not self._took(")"):
            if self._next.kind not in (TokenKind.WORD, TokenKind.STRING):
                raise self._refusal()
            self._take()
            if not self._is(")"):
                self._expect(",")

    def _selector(self) -> Shape:
        name = self._take() if self._next.kind is TokenKind.WORD else None
        if name is not None and not self._is("{"):
            self.selectors.append(Selector(name.end, has_braces=False, has_matchers=False))
            return Shape.VECTOR
        opening = self._take()
        self.selectors.append(Selector(opening.end, has_braces=True, has_matchers=not self._is("}")))
        while not self._took("}"):
            self._matcher()
            if not self._is("}"):
                self._expect(",")
        return Shape.VECTOR

    def _matcher(self) -> None:
        label = self._take()
        if label.kind is TokenKind.STRING and (self._is(",") or self._is("}")):
            return
        if label.kind is not TokenKind.STRING and (label.kind is not TokenKind.WORD or ":" in label.text):
            raise self._refusal()
        operator, value = self._take(), self._next
        if operator.text not in ("=", "!=", "=~", "!~") or value.kind is not TokenKind.STRING:
            raise self._refusal()
        self._take()

    def _range(self) -> None:
        self._duration()
        if self._took(":") and not self._is("]"):
            self._duration()
        self._expect("]")

    def _duration(self) -> None:
        if self._next.kind not in (TokenKind.NUMBER, TokenKind.PARAMETER):
            raise self._refusal()
        self._take()

    def _number(self) -> None:
        if self._next.kind is not TokenKind.NUMBER:
            raise self._refusal()
        self._take()

    def _moment(self) -> None:
        if self._word in ("start", "end"):
            self._take()
            self._expect("(")
            self._expect(")")
            return
        if not self._took("-"):
            self._took("+")
        self._number()
