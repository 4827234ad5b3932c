"""A gate's parameters: their values stay inside their quotes, and whatever is wrong with them is said beforehand."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headgate.api.quality_gate import QualityGateSpec
from headgate.engine.evidence import Arm, Subject
from headgate.evidence.queries import advice, missing_args, problems, render
from headgate.evidence.template import QueryError
from tests.evidence.oracle import Oracle, matchers, selectors, without

SUBJECT = Subject("ai", "reply", Arm.CANDIDATE, "v8", "sha256:ab", elapsed=61, step=7)
# The letters that PromQL, regular expressions and escapes are made of come up far more often than chance would have it.
HOSTILE = st.text(
    st.one_of(
        st.sampled_from(list("\"'`\\{}()[],=~!|.*+?^$#-nxuU0a7\n\r\t\x00\ufffd\ufeff\x7f\x85\u2028é😀 ")),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=20,
)


def gate(query: str, *parameters: str) -> QualityGateSpec:
    return QualityGateSpec.model_validate(
        {
            "parameters": [{"name": name} for name in parameters],
            "checks": [{"name": "c", "query": query, "critical": {"above": 1}}],
        }
    )


@pytest.mark.parametrize("quote", ['"', "'", "`"])
@pytest.mark.parametrize("operator", ["=", "!=", "=~", "!~"])
@given(value=HOSTILE)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_leaves_its_quotes(oracle: Oracle, quote: str, operator: str, value: str) -> None:
    query = f"sum(up{{a{operator}{quote}$(app){quote},b='c'}})"
    try:
        text = render(query, {"app": value}, SUBJECT)
    except QueryError:
        assert quote == "`"
        assert "`" in value or "\ufffd" in value
        return
    tree = oracle.tree(text)
    assert tree is not None, text
    (selector,) = selectors(tree)
    matched = next(one for one in matchers(selector) if one[0] == "a")
    expected = value if operator in ("=", "!=") else re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", value)
    assert matched == ("a", operator, expected)
    plain = oracle.tree("sum(up{b='c'})")
    assert without(tree, matched) == plain


@given(
    before=HOSTILE, after=HOSTILE, value=HOSTILE, quote=st.sampled_from("\"'`"), operator=st.sampled_from(["=", "=~"])
)
@example(before="\\", after="", value='"}#', quote='"', operator="=")
@example(before="\\\\\\", after="", value="'}#", quote="'", operator="=~")
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nor_do_they_beside_whatever_else_a_gate_has_in_the_quotes(
    oracle: Oracle, before: str, after: str, value: str, quote: str, operator: str
) -> None:
    query = f"up{{a{operator}{quote}{before}$(app){after}{quote}}}"
    try:
        harmless = render(query, {"app": "x"}, SUBJECT)
        text = render(query, {"app": value}, SUBJECT)
    except QueryError:
        return
    expected, tree = oracle.tree(harmless), oracle.tree(text)
    if expected is None or tree is None:
        # What the gate itself wrote is no PromQL. Only within a regular expression of its own can a value matter there.
        assert operator == "=~" or (expected is None and tree is None)
        return
    assert _shape(tree) == _shape(expected)


def _shape(tree: object) -> object:
    """A tree without the values of its matchers."""
    if isinstance(tree, list):
        return [_shape(part) for part in tree]
    if isinstance(tree, dict):
        keeps_value = "name" not in tree or tree.get("type") not in ("=", "!=", "=~", "!~")
        return {name: _shape(part) for name, part in tree.items() if keeps_value or name != "value"}
    return tree


def test_the_built_in_parameters_have_their_values_and_no_arg_passes_for_one() -> None:
    query = 'a{v="$(version)",d="$(digest)",arm="$(arm)",r="$(rollout)",n="$(namespace)"}'
    assert render(query, {"version": "v1"}, SUBJECT) == ('a{v="v8",d="sha256:ab",arm="candidate",r="reply",n="ai"}')


def test_durations_are_whole_seconds_in_one_unit() -> None:
    assert render("rate(a[$(elapsed)])", {}, SUBJECT) == "rate(a[61s])"
    assert render("max_over_time(sum(a)[$(elapsed):$(step)])", {}, SUBJECT) == "max_over_time(sum(a)[61s:7s])"


def test_a_comment_disappears_with_what_it_says() -> None:
    assert render('a # "$(nobody)" (\r + b', {}, SUBJECT).split() == ["a", "+", "b"]


def test_a_value_that_is_missing_is_named() -> None:
    with pytest.raises(QueryError, match=r"^\$\(app\) has no value: add app to the gate's args$"):
        render('a{app="$(app)"}', {}, SUBJECT)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ('a{b="$(nope)"}', "$(nope) is not declared: add it to parameters, or use one of "),
        ("a{b=$(app)}", '$(app) at character 5 stands outside quotes: write "$(app)"'),
        ("sum($(app))", '$(app) at character 5 stands outside quotes: write "$(app)"'),
        ('a{b="$(elapsed)"}', "$(elapsed) at character 6 stands inside quotes"),
        ("rate(a[$(app)])", "$(app) at character 8 stands outside quotes"),
        ("rate(a[1$(elapsed)])", "$(elapsed) at character 9 is a length of time: it stands alone inside []"),
        ("rate(a[$(elapsed)m])", "$(elapsed) at character 8 is a length of time: it stands alone inside []"),
        ("rate(a[5m] offset $(step))", "$(step) at character 19 is a length of time: it stands alone inside []"),
        ('a{b="$( app )"}', "'$( app )' at character 6 is no parameter"),
        ('a{b="$(app"}', "'$(app\"' at character 6 is no parameter"),
        ('a{b="\\$(app)"}', "follows an unfinished escape"),
        ("a{b='\\x4$(app)'}", "follows an unfinished escape"),
        ('a{b="c}', 'the quote " at character 5 is never closed on its line'),
        ("a{b='c\n'}", "the quote ' at character 5 is never closed on its line"),
        ("sum(a", "the '(' at character 4 is never closed: write its ')'"),
        ("sum(a[5m)]", "the ')' at character 9 closes nothing"),
        ("a)", "the ')' at character 2 closes nothing"),
        ("a ; b", "';' at character 3 is not PromQL"),
        ("a[5m]", "it answers with a range of samples"),
        ('"a"', "it answers with text"),
        ('label_replace(a, "headgate_id", "x", "", "")', "is headgate's own label"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_its_remedy(query: str, problem: str) -> None:
    found = problems(gate(query, "app"))
    assert len(found) == 1
    assert found[0].startswith("checks[c].query: ")
    assert problem in found[0]
    assert "\n" not in found[0]


def test_a_good_gate_has_no_problems_and_what_it_declares_and_leaves_unused_is_none() -> None:
    assert problems(gate('sum(rate(a{b=~"x-$(app)|$(version)"}[$(elapsed)])) / 2', "app", "unused")) == []


def test_args_are_missed_only_where_they_are_used() -> None:
    spec = gate('a{b="$(one)",c="$(two)"}', "one", "two", "unused")
    assert missing_args(spec, {"one": ""}) == ["two"]


def test_a_ratio_without_absent_bad_is_pointed_out() -> None:
    check = {"name": "c", "ratio": {"bad": "a", "total": "b"}, "critical": {"above": "5%"}}
    assert "absentBad: Zero" in advice(QualityGateSpec.model_validate({"checks": [check]}))[0]
    assert advice(QualityGateSpec.model_validate({"checks": [check | {"absentBad": "Zero"}]})) == []
