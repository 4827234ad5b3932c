"""Several queries as one, and its answer taken apart again. Knows no HTTP and no time.

``label_replace((q), "headgate_id", "k1", "", "") or label_replace(...)``: the label is put around each member from
outside and overwrites one of that name, so no member can pass for another. Only queries that the grammar understands
become members: those are whole expressions whose brackets and quotes close, so none can reach beyond its parentheses.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from headgate.evidence.answers import Answer, Failure, Table, judged_members
from headgate.evidence.grammar import Shape
from headgate.evidence.template import RESERVED_LABEL


@dataclass(frozen=True, slots=True)
class Ask:
    """One query that somebody needs the answer of."""

    text: str
    namespace: str
    """Who needs it."""
    template: str
    """The query as its gate writes it: the same from look to look, so trouble is remembered by it."""
    shape: Shape | None

    @property
    def can_be_member(self) -> bool:
        """Whether it may stand in a coalesced query."""
        return self.shape in (Shape.SCALAR, Shape.VECTOR)


def coalesced(asks: Sequence[Ask]) -> str:
    """One query for all; a single one stays as it is."""
    if len(asks) == 1:
        return asks[0].text
    return " or ".join(
        f'label_replace({_as_vector(ask)}, "{RESERVED_LABEL}", "k{n}", "", "")' for n, ask in enumerate(asks)
    )


def _as_vector(ask: Ask) -> str:
    return f"vector({ask.text})" if ask.shape is Shape.SCALAR else f"({ask.text})"


def taken_apart(table: Table, count: int) -> list[Answer] | Failure:
    """The answers in the order of the asks; a Failure when they cannot be told apart for certain."""
    ids = tuple(f"k{n}" for n in range(count))
    found = judged_members(table, RESERVED_LABEL, ids)
    return found if isinstance(found, Failure) else [found[one] for one in ids]
