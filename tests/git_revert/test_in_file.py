"""git-revert --file: the one value changes where it stands, comments stay, and real tools take the diff."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.git_revert import in_file
from headgate.cli.git_revert.editing import edited
from headgate.cli.git_revert.in_file import change_in
from headgate.cli.git_revert.places import ByHandError, Plain, documents, plain
from headgate.cli.git_revert.revert import Revert
from headgate.cli.yaml_writing import as_yaml
from tests.git_revert.reverts import of_prompt, of_target

ROLLOUT = """\
# The team's release.
apiVersion: headgate.dev/v1alpha1
kind: Rollout
metadata: {name: reply, namespace: ai}
spec:
  prompt:
    family: reply
    version: %s   # changing this one line is the release
  steps:
  - {weight: 10, holdFor: 1m}
  - {weight: 100}
"""
RANKER = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: ranker
spec:
  predictor:
    minReplicas: 1   # two in production
    model:
      modelFormat: {name: sklearn}
      # Where the weights are.
      storageUri: "s3://models/ranker/2"
      args: [--fast, --quiet]
    tolerations:
    - key: gpu
      operator: Exists
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, and the directory that one is in."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reverted(checkout: Path, text: str, revert: Revert, name: str = "reply.yaml") -> str:
    """The file after the diff that is printed for it was applied by git, and by patch, in turn."""
    (checkout / name).write_bytes(text.encode())
    diff = change_in(Path(name), revert).diff.encode()
    assert diff
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], input=diff, check=True, cwd=checkout)
    by_git = (checkout / name).read_bytes()
    (checkout / name).write_bytes(text.encode())
    subprocess.run(["patch", "-p1", "--binary", "--quiet"], input=diff, check=True, cwd=checkout)
    assert (checkout / name).read_bytes() == by_git
    return by_git.decode()


def refusal(name: str, revert: Revert) -> CommandError:
    with pytest.raises(CommandError) as refused:
        change_in(Path(name), revert)
    return refused.value


def test_the_diff_changes_the_one_value_and_nothing_else(checkout: Path) -> None:
    Path("reply.yaml").write_text(ROLLOUT % "reply-v8")
    assert change_in(Path("reply.yaml"), of_prompt()).diff == (
        "--- a/reply.yaml\n"
        "+++ b/reply.yaml\n"
        "@@ -5,7 +5,7 @@\n"
        " spec:\n"
        "   prompt:\n"
        "     family: reply\n"
        "-    version: reply-v8   # changing this one line is the release\n"
        "+    version: reply-v7   # changing this one line is the release\n"
        "   steps:\n"
        "   - {weight: 10, holdFor: 1m}\n"
        "   - {weight: 100}\n"
    )


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("reply-v8", "reply-v7"),
        ('"reply-v8"', '"reply-v7"'),
        ("'reply-v8'", "'reply-v7'"),
        ("reply-v8 ", "reply-v7 "),
    ],
)
def test_quotes_stay_as_they_were(checkout: Path, written: str, becomes: str) -> None:
    assert reverted(checkout, ROLLOUT % written, of_prompt()) == ROLLOUT % becomes


@pytest.mark.parametrize(
    ("good", "becomes"), [(name, f"'{name}'") for name in ("123", "1e3", "12e4", "on", "y", "7.0", "0o14", "0b1")]
)
def test_a_name_that_yaml_would_take_for_something_else_is_quoted(checkout: Path, good: str, becomes: str) -> None:
    assert reverted(checkout, ROLLOUT % "reply-v8", of_prompt(good)) == ROLLOUT % becomes


def test_the_right_object_among_many_is_changed(checkout: Path) -> None:
    first, last = ROLLOUT.replace("name: reply,", "name: other,"), ROLLOUT.replace("namespace: ai", "namespace: test")
    text = f"{first}---\n{ROLLOUT}---\n{last}"
    written = ("reply-v8",) * 3
    assert reverted(checkout, text % written, of_prompt()) == text % ("reply-v8", "reply-v7", "reply-v8")


def test_an_item_of_a_list_is_changed_too(checkout: Path) -> None:
    item = (ROLLOUT % "reply-v8").partition("\n")[2].replace("\n", "\n  ").rstrip()
    text = f"apiVersion: v1\nkind: List\nitems:\n- {item}\n"
    assert reverted(checkout, text, of_prompt()) == text.replace("reply-v8", "reply-v7")


def test_one_line_of_json_is_yaml_too(checkout: Path) -> None:
    text = (
        '{"apiVersion": "headgate.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": "reply"},'
        ' "spec": {"prompt": {"version": "reply-v8", "family": "reply"}}}'
    )
    assert reverted(checkout, text, of_prompt()) == text.replace("reply-v8", "reply-v7")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "{end}"])
def test_line_ends_and_the_files_end_stay(checkout: Path, end: str, last: str) -> None:
    text = ROLLOUT.rstrip("\n").replace("\n", end) + last.format(end=end)
    assert reverted(checkout, text % "reply-v8", of_prompt()) == text % "reply-v7"


def test_a_file_in_a_directory_with_a_blank_in_its_name(checkout: Path) -> None:
    (checkout / "prod env").mkdir()
    assert reverted(checkout, ROLLOUT % "reply-v8", of_prompt(), "prod env/reply one.yaml") == ROLLOUT % "reply-v7"


def test_the_diff_is_taken_in_a_subdirectory_too(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "prod").mkdir()
    monkeypatch.chdir(checkout / "prod")
    assert reverted(checkout / "prod", ROLLOUT % "reply-v8", of_prompt()) == ROLLOUT % "reply-v7"
    monkeypatch.chdir(checkout)
    assert (
        "--- a/prod/reply.yaml" in change_in(checkout / "prod" / "reply.yaml", of_prompt("reply-v1", "reply-v7")).diff
    )


@pytest.mark.parametrize("version", ["reply-v7", "reply-v9"])
def test_a_file_that_says_something_else_than_the_rejected_version_is_left_alone(checkout: Path, version: str) -> None:
    Path("reply.yaml").write_text(ROLLOUT % version)
    change = change_in(Path("reply.yaml"), of_prompt())
    assert change.diff == ""
    assert change.notes[0].startswith("reply.yaml:2: ")
    assert ("already" in change.notes[0]) is (version == "reply-v7")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROLLOUT % "*last", "reply.yaml:8: "),
        (ROLLOUT % "&last reply-v8", "reply.yaml:8: "),
        (ROLLOUT % "!!str reply-v8", "reply.yaml:8: "),
        ("{{- if .Values.on }}\n" + ROLLOUT % "reply-v8", "perhaps a template"),
        (ROLLOUT.replace("metadata", "? [a]\n: x\nmetadata") % "reply-v8", "change it by hand: spec.prompt.version"),
        (ROLLOUT % "reply-v8\n    version: reply-v8", "'version' stands twice"),
        ("a: " + "[" * 300, "change it by hand"),
        (f"{ROLLOUT}---\n{ROLLOUT}" % ("reply-v8", "reply-v8"), "more than once (lines 2, 14)"),
        ("kind: Other\n", "holds no Rollout ai/reply"),
        ("", "holds no Rollout ai/reply"),
    ],
)
def test_what_cannot_be_changed_in_place_is_refused_with_its_line_and_what_to_do(
    checkout: Path, text: str, said: str
) -> None:
    Path("reply.yaml").write_text(f"x-last: &last reply-v8\n---\n{text}" if "*last" in text else text)
    error = refusal("reply.yaml", of_prompt())
    assert said.replace(":8:", ":10:") in str(error) if "*last" in text and ":8:" in said else said in str(error)
    assert error.status is ExitStatus.FAILED


SERVICE = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: ranker, namespace: ai%s}
spec:
"""


@pytest.mark.parametrize(
    ("text", "good", "line"),
    [
        # The anchor would go, and its alias would mean nothing.
        (
            SERVICE % ""
            + "  predictor:\n    model: {uri: a}\n    resources: &r {cpu: '1'}\n  transformer:\n    resources: *r\n",
            {"spec.predictor": {"model": {"uri": "a"}}},
            7,
        ),
        # The anchor would go, and its alias would mean the one before.
        (
            SERVICE % ", annotations: &r {x: 'y'}"
            + "  predictor:\n    model: {uri: a}\n    resources: &r {x: 'z'}\n  transformer:\n    resources: *r\n",
            {"spec.predictor": {"model": {"uri": "a"}}},
            7,
        ),
        (
            SERVICE % "" + "  predictor:\n    args: [&a --one, --two]\n  transformer:\n    args: [*a]\n",
            {"spec.predictor": {"args": ["--one"]}},
            6,
        ),
        (
            SERVICE % "" + "  predictor:\n    deep: {er: [{x: &a 1}], rest: 2}\n  transformer: {x: *a}\n",
            {"spec.predictor.deep": ...},
            6,
        ),
    ],
)
def test_an_anchor_that_would_go_is_left_to_a_person(
    checkout: Path, text: str, good: dict[str, object], line: int
) -> None:
    Path("ranker.yaml").write_text(text)
    assert f"ranker.yaml:{line}: an anchor" in str(refusal("ranker.yaml", of_target(good)))


def test_a_list_that_another_object_shares_by_an_alias_is_left_to_a_person(checkout: Path) -> None:
    item = (ROLLOUT % "reply-v8").partition("\n")[2].replace("\n", "\n  ").rstrip()
    Path("reply.yaml").write_text(f"apiVersion: v1\nkind: List\nitems: &all\n- {item}\nmore: *all\n")
    assert "cannot be changed in place" in str(refusal("reply.yaml", of_prompt()))


@pytest.mark.parametrize(
    ("metadata", "prompt"),
    [
        ("{name: reply, namespace: ai, annotations: {a: &v {version: reply-v8}}}", "{<<: *v, family: reply}"),
        ("{name: reply, labels: &v {namespace: prod}, <<: *v}", "{version: reply-v8}"),
        ("{name: reply, labels: {at: &v prod}, namespace: *v}", "{version: reply-v8}"),
    ],
)
def test_what_a_merge_key_or_an_alias_brings_is_left_to_a_person(checkout: Path, metadata: str, prompt: str) -> None:
    text = f"apiVersion: headgate.dev/v1alpha1\nkind: Rollout\nmetadata: {metadata}\nspec:\n  prompt: {prompt}\n"
    Path("reply.yaml").write_text(text)
    error = str(refusal("reply.yaml", of_prompt()))
    assert "stands there" in error
    assert "change it by hand: spec.prompt.version" in error


def test_a_symbolic_link_is_refused_with_the_file_that_it_leads_to(checkout: Path) -> None:
    (checkout / "base").mkdir()
    (checkout / "base" / "reply.yaml").write_text(ROLLOUT % "reply-v8")
    (checkout / "reply.yaml").symlink_to("base/reply.yaml")
    (checkout / "prod").symlink_to("base")
    for name in ("reply.yaml", "prod/reply.yaml"):
        error = refusal(name, of_prompt())
        assert str(checkout.resolve() / "base" / "reply.yaml") in str(error)
        assert error.status is ExitStatus.USAGE


def test_a_file_outside_of_the_directory_is_refused(checkout: Path) -> None:
    assert refusal("../elsewhere.yaml", of_prompt()).status is ExitStatus.USAGE
    assert refusal("none.yaml", of_prompt()).status is ExitStatus.USAGE
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert refusal("binary.yaml", of_prompt()).status is ExitStatus.USAGE


# --- targets: whole values, fields that come and go ---

STORAGE, MODEL = "spec.predictor.model.storageUri", "spec.predictor.model"


@pytest.mark.parametrize(
    ("good", "before", "after"),
    [
        ({STORAGE: "s3://models/ranker/1"}, "ranker/2", "ranker/1"),
        ({"spec.predictor.minReplicas": 3}, "minReplicas: 1 ", "minReplicas: 3 "),
        ({STORAGE: ...}, '      storageUri: "s3://models/ranker/2"\n', ""),
        ({"spec.predictor.timeout": 30}, "      operator: Exists\n", "      operator: Exists\n    timeout: 30\n"),
        ({"spec.predictor.tolerations": []}, "\n    - key: gpu\n      operator: Exists", " []"),
        ({"spec.predictor.tolerations": [{"key": "tpu", "operator": "Exists"}]}, "key: gpu", "key: tpu"),
        (
            {"spec.predictor.tolerations": [{"key": "gpu", "operator": "Exists"}, {"key": "spot"}]},
            "operator: Exists\n",
            "operator: Exists\n    - key: spot\n",
        ),
        ({"spec.predictor.model.modelFormat.name": "xgboost"}, "{name: sklearn}", "{name: xgboost}"),
        ({"spec.predictor.model.modelFormat.version": "2"}, "{name: sklearn}", "{name: sklearn, version: '2'}"),
        ({"spec.predictor.tolerations": "none"}, "\n    - key: gpu\n      operator: Exists", " none"),
        ({"spec.predictor.model.modelFormat": {}}, "{name: sklearn}", "{}"),
        ({"spec.predictor.model.args": ["--slow"]}, "[--fast, --quiet]", "[--slow]"),
        (
            {"spec.transformer.image": "t:1"},
            "      operator: Exists\n",
            "      operator: Exists\n  transformer:\n    image: t:1\n",
        ),
    ],
)
def test_only_the_declared_field_changes(checkout: Path, good: dict[str, object], before: str, after: str) -> None:
    assert before in RANKER
    written = reverted(checkout, RANKER, of_target(good), "ranker.yaml")
    wanted = RANKER.replace(before, after)
    assert written == wanted


def test_texts_and_names_that_kubernetes_would_take_for_something_else_are_quoted(checkout: Path) -> None:
    good: dict[str, object] = {"spec.predictor.model": {"12e4": "12e4", "y": ["n", {"0o14": "0b1"}]}}
    written = reverted(checkout, RANKER, of_target(good), "ranker.yaml")
    for text in ("'12e4': '12e4'", "'y':", "- 'n'", "'0o14': '0b1'"):
        assert text in written


@pytest.mark.parametrize(("held", "good"), [("12e4", "12e4"), ("y", "y")])
def test_a_number_where_the_last_good_version_had_text_is_no_match(checkout: Path, held: str, good: str) -> None:
    text = RANKER.replace('"s3://models/ranker/2"', held)
    assert reverted(checkout, text, of_target({STORAGE: good}), "ranker.yaml") == text.replace(
        f"storageUri: {held}", f"storageUri: '{good}'"
    )


def test_a_whole_object_as_a_field_changes_only_where_it_differs(checkout: Path) -> None:
    good: dict[str, object] = {
        MODEL: {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://models/ranker/1", "args": ["--fast", "-v"]}
    }
    written = reverted(checkout, RANKER, of_target(good), "ranker.yaml")
    assert written == RANKER.replace("ranker/2", "ranker/1").replace("--quiet", "-v")


def test_a_weight_in_git_is_pointed_out(checkout: Path) -> None:
    text = RANKER.replace("    minReplicas", "    canaryTrafficPercent: 50\n    minReplicas")
    Path("ranker.yaml").write_text(text)
    change = change_in(Path("ranker.yaml"), of_target({STORAGE: "s3://models/ranker/1"}))
    assert change.notes == (
        "ranker.yaml:7: spec.predictor.canaryTrafficPercent is headgate's to write; leave it out of Git",
    )


def test_a_diff_that_would_not_do_what_was_meant_is_never_printed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("reply.yaml").write_text(ROLLOUT % "reply-v8")
    monkeypatch.setattr(in_file, "edited", lambda text, *_: text.replace("weight: 10", "weight: 90"))
    assert "cannot be changed in place" in str(refusal("reply.yaml", of_prompt()))


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1000, 1000),
    st.text(max_size=12),
    st.from_regex(r"[-+]?[0-9.ynxob_e]{1,4}", fullmatch=True),
)
NAMES = st.sampled_from(["a", "b", "c", "on", "1", "y", "1e3", "x y", "é"])
VALUES: st.SearchStrategy[Plain] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    before=st.dictionaries(NAMES, VALUES, max_size=4),
    wanted=st.dictionaries(NAMES, VALUES, max_size=4),
    flow=st.booleans(),
)
@example(before={"a": []}, wanted={"b": "\x85"}, flow=False)
def test_any_value_becomes_any_other_or_is_refused(
    before: dict[str, Plain], wanted: dict[str, Plain], *, flow: bool
) -> None:
    (empty,) = documents("{}")
    text = edited("{}", empty, before) if flow else as_yaml(before)
    (root,) = documents(text)
    assert plain(root) == before
    try:
        after = edited(text, root, wanted)
        (again,) = documents(after)
    except ByHandError:
        return
    # What is not as it was meant is found out by reading it again, as --file does.
    assert plain(again) == wanted
