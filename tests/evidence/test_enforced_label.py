"""A source's enforceLabel: its matcher is in every selector that a real Prometheus finds, or the query is refused."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headgate.api.configuration import Configuration
from headgate.api.quality_gate import QualityGateSpec
from headgate.evidence.grammar import Shape
from headgate.evidence.measure import source_problem
from headgate.evidence.template import QueryError, read_template
from tests.evidence.oracle import Oracle, matchers, selectors, without

ENFORCED = ("tenant", "=", "ai")
AGAINST_THE_SERVER = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def enforced(query: str) -> str | None:
    """The query with the label, or None when it is refused."""
    try:
        return read_template(query).render({}, ("tenant", "ai"))
    except QueryError:
        return None


def assert_enforced(oracle: Oracle, query: str, text: str) -> None:
    tree = oracle.tree(text)
    if tree is None:
        # Prometheus refuses it: nothing is read.
        return
    assert all(ENFORCED in matchers(selector) for selector in selectors(tree)), text
    plain = oracle.tree(query)
    # `{}` alone is refused and becomes a query with the label; else nothing but the matcher has changed.
    assert plain is None or without(tree, ENFORCED) == without(plain, ENFORCED), text


def _words(text: str) -> list[str]:
    return text.split()


# Pieces from which a random walk finds queries that nobody would think of; many are no PromQL at all.
PIECES = _words("""
    a b:c sum by without and or unless on ignoring group_left bool offset rate time vector scalar info inf NaN
    start end step start() end() step() a{ {a= a!= "x" 'y' `z` {} } ( ) [5m] [ ] : , + - * / ^ % == != > >= =~ !~ @
    5 5m 1e3 0x1f .5 1h30m # \\ $ {__name__="a"} {"a"} {tenant="x"} count_values fill fill( SUM By label_replace
    anchored smoothed
""")
SOUP = st.lists(st.sampled_from([*PIECES, "\n", "\r", " ", "#x\n", "#x\ra\n", "\x85", "é"]), max_size=14).map(" ".join)
GLUED = st.lists(st.sampled_from([*PIECES, "\n", "\r", " ", "\t"]), max_size=10).map("".join)


@given(query=st.one_of(SOUP, GLUED))
@settings(AGAINST_THE_SERVER, max_examples=1500)
@example("a #\r + b")
@example("sum(by)")
@example("and and and")
@example("'\\' + a + '")
@example("`\\` + a")
@example("{} or a")
def test_whatever_gets_through_is_confined(oracle: Oracle, query: str) -> None:
    text = enforced(query)
    if text is not None:
        assert_enforced(oracle, query, text)


LABELS = st.sampled_from(["(a)", "(a, b)", "()", "(le,)", '("x y")', "(by, sum)"])
DURATIONS = st.sampled_from(["5m", "1h30m", "90", "1d"])
SELECTORS = st.sampled_from(
    ["m", "ns:m:rate5m", "m{}", 'm{a="b"}', "{__name__=~'m.*',}", '{"m",a!="b"}', "m{a=~`b|c`, d!~'e\\'f'}", '{a="#"}']
)


def _vectors(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    matching = st.one_of(
        st.just(""),
        st.builds("{} {}".format, st.sampled_from(["on", "IGNORING"]), LABELS),
        st.builds("on {} group_left {}".format, LABELS, LABELS),
        st.builds("on {} Group_Right ".format, LABELS),
    )
    plain = st.builds("{} {}".format, st.sampled_from(["on", "ignoring"]), LABELS)
    return st.one_of(
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("sum {} {} (({}))".format, st.sampled_from(["by", "WITHOUT"]), LABELS, inner),
        st.builds("max({}) by {}".format, inner, LABELS),
        st.builds("quantile(0.5, {})".format, inner),
        st.builds("count_values('x', {})".format, inner),
        st.builds("rate({}[{}] offset -{})".format, SELECTORS, DURATIONS, DURATIONS),
        st.builds("max_over_time({}[{}:{}] @ 17)".format, inner, DURATIONS, DURATIONS),
        st.builds("min_over_time({}[{}:] @ end() offset 1m)".format, inner, DURATIONS),
        st.builds(
            "({}) {} {} ({})".format, inner, st.sampled_from(["+", "/", "> bool", "==", "atan2"]), matching, inner
        ),
        st.builds("({}) {} {} ({})".format, inner, st.sampled_from(["and", "OR", "unless"]), plain, inner),
        st.builds("{} * {}".format, inner, st.sampled_from(["2", "0x1F", "1e3", "Inf", "scalar(m)", "time()", "pi()"])),
        st.builds("label_replace({}, 'a', '$1', 'b', '(.*)') # {{c}}\n".format, inner),
        st.builds("vector(scalar({}))".format, inner),
    )


@given(query=st.recursive(SELECTORS, _vectors, max_leaves=6))
@settings(AGAINST_THE_SERVER, max_examples=600)
def test_what_gates_are_written_in_is_accepted_and_confined(oracle: Oracle, query: str) -> None:
    text = enforced(query)
    if text is None:
        assert oracle.tree(query) is None
    else:
        assert_enforced(oracle, query, text)


@given(
    query=st.recursive(st.one_of(SELECTORS, st.sampled_from(["1", "time()", "-(2)", "inf"])), _vectors, max_leaves=5)
)
@settings(AGAINST_THE_SERVER, max_examples=300)
def test_the_shape_is_what_prometheus_takes_it_for(oracle: Oracle, query: str) -> None:
    shape = read_template(query).shape
    if oracle.tree(query) is None or shape is None:
        return
    # vector() takes a scalar and nothing else, abs() a vector and nothing else.
    function = "vector" if shape is Shape.SCALAR else "abs"
    assert oracle.tree(f"{function}({query}\n)") is not None, query


@pytest.mark.parametrize(
    "query", ["info(a)", "sum(by)", "a[5m + 1m]", "frobnicate(a)", "a smoothed", "(" * 80 + "a" + ")" * 80]
)
def test_what_cannot_be_read_with_certainty_is_refused_where_a_label_is_enforced(query: str) -> None:
    configuration = Configuration.model_validate(
        {
            "sources": [
                {"name": "open", "url": "http://x:1"},
                {"name": "shut", "url": "http://x:1", "enforceLabel": "ns"},
            ]
        }
    )
    check = {"name": "c", "query": query, "critical": {"above": 1}}
    open_spec = QualityGateSpec.model_validate({"source": "open", "checks": [check]})
    shut_spec = QualityGateSpec.model_validate({"source": "shut", "checks": [check]})
    assert source_problem(configuration, open_spec, "ai") is None
    problem = source_problem(configuration, shut_spec, "ai")
    assert problem is not None
    assert problem.startswith(
        "checks[c].query: the source's enforceLabel needs a query that can be read with certainty"
    )
    assert "\n" not in problem
