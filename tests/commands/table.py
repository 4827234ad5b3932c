"""What each command does in each state: its exit status, its words, and what is to be seen in the end."""

from dataclasses import dataclass

from tests.commands.states import STATES
from tests.integration.cluster import Document

VERBS: dict[str, tuple[str, ...]] = {
    "kill": ("kill",),
    "kill-legacy": ("kill", "--to", "Legacy"),
    "abort": ("abort",),
    "abort-wait": ("abort", "--wait", "--timeout", "0.5"),
    "pause": ("pause",),
    "resume": ("resume",),
    "retry": ("retry",),
    "promote": ("promote",),
    "approve": ("approve",),
}


@dataclass(frozen=True)
class Cell:
    """What a person is to see of one command in one state."""

    ends: int
    words: str
    seen: Document


_BACK: Document = {"weights": [0], "phase": "RolledBack", "released": 1, "rejected": 1}
_KILLED: Document = {"weights": [0], "phase": "Killed", "released": 1, "killSwitch": "Stable", "legacy": False}
_LEGACY: Document = {**_KILLED, "killSwitch": "Legacy", "legacy": True}
_PROMOTED: Document = {"phase": "Idle", "released": 2, "outcome": "Promoted", "rejected": 0}
_NOTHING_REJECTED = "nothing is rejected, so there is nothing to retry"


def _at_rest(stays: Document) -> dict[str, Cell]:
    """No attempt is in flight."""
    return {
        "kill": Cell(0, "killed: everybody gets v1 at once\n", _KILLED),
        "kill-legacy": Cell(0, "killed: everybody gets the legacy path at once\n", _LEGACY),
        "abort": Cell(1, "no attempt is in flight", stays),
        "pause": Cell(0, "paused: weights do not rise", {**stays, "paused": True}),
        "resume": Cell(0, "not paused (unchanged)", stays),
        "retry": Cell(1, _NOTHING_REJECTED, stays),
        "promote": Cell(1, "no attempt is in flight", stays),
        "approve": Cell(1, "no attempt is in flight", stays),
    }


def _in_flight(stays: Document) -> dict[str, Cell]:
    """The candidate is shown to somebody, and the way back is open."""
    return {
        "kill": Cell(0, "at once; attempt 1 is taken back", {**_KILLED, "rejected": 1}),
        "kill-legacy": Cell(0, "legacy path at once; attempt 1 is taken back", {**_LEGACY, "rejected": 1}),
        "abort": Cell(0, "aborted attempt 1: everybody goes back to ", _BACK),
        "pause": Cell(0, "paused: weights do not rise", {**stays, "phase": "Paused", "paused": True}),
        "resume": Cell(0, "not paused (unchanged)", stays),
        "retry": Cell(1, _NOTHING_REJECTED, stays),
        "promote": Cell(0, "promoted attempt 1", _PROMOTED),
        "approve": Cell(0, "approved step 50 of attempt 1", {**stays, "approvals": ["50"]}),
    }


def _on_the_way_back(stays: Document) -> dict[str, Cell]:
    """Something keeps the way back from its end until after the command."""
    deaf = Cell(1, "attempt 1 of ", stays)
    return {
        "kill": Cell(0, "killed: everybody gets ", {**_KILLED, "rejected": 1}),
        "kill-legacy": Cell(0, "legacy path at once\n", {**_LEGACY, "rejected": 1}),
        "abort": Cell(0, "is on its way back: aborted by annotation '1' (unchanged)", stays),
        "pause": Cell(0, "paused: weights do not rise", {**stays, "paused": True}),
        "resume": Cell(0, "not paused (unchanged)", stays),
        "retry": Cell(1, "is in flight; wait for its end", stays),
        "promote": deaf,
        "approve": deaf,
    }


def _cells() -> dict[str, dict[str, Cell]]:
    table = {name: _in_flight(state.stays) for name, state in STATES.items()}
    stays = {name: state.stays for name, state in STATES.items()}
    table["idle"] = _at_rest(stays["idle"])

    goes_on = {**stays["in-mid-step"], "paused": False}
    table["paused"] |= {
        "pause": Cell(0, "judging and reverting go on (unchanged)", stays["paused"]),
        "resume": Cell(0, "resumed: spec.paused cleared", goes_on),
        "promote": Cell(1, "paused, so nothing rises; first: headgate resume", stays["paused"]),
    }
    by_gate = stays["paused-by-a-gate"]
    table["paused-by-a-gate"] |= {
        "resume": Cell(0, "resumed: the pause by pausing/errors cleared", goes_on),
        "promote": Cell(1, "paused by pausing/errors, so nothing rises; first: headgate resume", by_gate),
    }
    table["awaiting-approval"] |= {
        "approve": Cell(0, "approved step 50 of attempt 1", {"weights": [50], "released": 2, "approvals": ["50"]})
    }
    table["baking"] |= {
        "promote": Cell(0, "promoted attempt 1 (v2): the rest of the bake is waived", _PROMOTED),
        "approve": Cell(1, "attempt 1 awaits no approval", stays["baking"]),
    }
    # What is a flag's alone: a weight in a field knows no legacy path.
    for name in ("of-a-failing-target", "refused-by-the-schema"):
        table[name] = table[name] if name == "of-a-failing-target" else _on_the_way_back(stays[name])
        legacy = table[name]["kill-legacy"]
        words = "at once, since only a flag has a legacy path"
        table[name] |= {"kill-legacy": Cell(legacy.ends, words, {**legacy.seen, "legacy": False})}

    table["half-way-back"] = _on_the_way_back(stays["half-way-back"])
    table["half-way-back"] |= {
        "abort-wait": Cell(5, "not done within 0.5 s; it waits for every router to be at 0: httpRoute/", _BACK)
    }
    table["refused-by-the-schema"] |= {
        "abort-wait": Cell(5, "not done within 0.5 s; it waits for what was good to be put back: ", _BACK)
    }
    table["without-operator"] |= {"abort-wait": Cell(5, "the operator did not act within 0.5 s; is it running?", _BACK)}
    back, killed = stays["taken-back"], stays["killed"]
    table["taken-back"] = _at_rest(back) | {
        "kill": Cell(0, "killed: everybody gets v1 at once\n", {**_KILLED, "rejected": 1}),
        "abort": Cell(0, "was taken back: aborted by annotation '1' (unchanged)", back),
        "retry": Cell(
            0,
            "lifted the rejection of v2 (attempt 1); spec.prompt.version is v2 again (was v1)",
            {"weights": [10], "released": 2, "rejected": 0, "attempt": 2},
        ),
    }
    table["killed"] = _at_rest(killed) | {
        "kill": Cell(0, "killed: everybody gets v1 at once (unchanged)", killed),
        "abort": Cell(0, "was taken back: spec.killSwitch is Stable (unchanged)", killed),
        "retry": Cell(1, "the kill switch is on; first: headgate kill", killed),
    }
    return table


CELLS = _cells()
