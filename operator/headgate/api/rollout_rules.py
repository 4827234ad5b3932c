"""The CEL rules of a Rollout's lists and maps: what its validators say, for the API server. Knows only field names."""

from headgate.api.quantities import IS_DURATION
from headgate.api.rules import POSITIVE_DURATION, admitted_when, unique

# A label is a name, a weight or "shadow". The API server's estimate of costs lets no rule make strings of the weights.
_UNIQUE_LABELS = (
    "self.all(a, self.exists_one(b, has(a.name) ? has(b.name) && a.name == b.name : !has(b.name)"
    " && (has(a.weight) ? has(b.weight) && a.weight == b.weight : !has(b.weight))))"
    " && !self.exists(a, has(a.name) && (a.name == 'shadow' ? self.exists(b, !has(b.name) && !has(b.weight))"
    " : a.name.matches('^[1-9][0-9]{0,2}$')"
    " && self.exists(b, !has(b.name) && has(b.weight) && b.weight == int(a.name))))"
)
STEPS_RULES = admitted_when(
    (
        "self.map(s, has(s.weight) ? s.weight : 0).isSorted()",
        "the weight falls from one step to a later one; weights only rise; order the steps by weight",
    ),
    (
        "size(self) == 0 || has(self[size(self) - 1].weight) && self[size(self) - 1].weight == 100",
        "the last weight is not 100; steps end with everybody; add {weight: 100}",
    ),
    (_UNIQUE_LABELS, "two steps have the same name (an unnamed one is called by its weight); give one of them a name"),
)
# The rule of Delivery.claim, without the comparison of whole objects, which the API server takes for too costly.
_SAME_ROUTE = "has(b.httpRoute) && a.httpRoute.name == b.httpRoute.name"
_SAME_CONFIG_MAP = (
    "has(b.flag) && a.flag.name == b.flag.name && has(b.flag.configMap)"
    " && a.flag.configMap.name == b.flag.configMap.name && a.flag.configMap.key == b.flag.configMap.key"
)
_SAME_FEATURE_FLAG = (
    "has(b.flag) && a.flag.name == b.flag.name && has(b.flag.featureFlag)"
    " && a.flag.featureFlag.name == b.flag.featureFlag.name"
)
_SAME_FIELD = (
    "has(b.field) && a.field.path == b.field.path && (has(a.field.target) ? has(b.field.target)"
    " && a.field.target.apiVersion == b.field.target.apiVersion && a.field.target.kind == b.field.target.kind"
    " && a.field.target.name == b.field.target.name : !has(b.field.target))"
)
_UNIQUE_ROUTERS = (
    f"self.all(a, !has(a.field) || self.exists_one(b, {_SAME_FIELD}))"
    f" && self.all(a, !has(a.httpRoute) || self.exists_one(b, {_SAME_ROUTE}))"
    f" && self.all(a, !has(a.flag) || !has(a.flag.configMap) || self.exists_one(b, {_SAME_CONFIG_MAP}))"
    f" && self.all(a, !has(a.flag) || !has(a.flag.featureFlag) || self.exists_one(b, {_SAME_FEATURE_FLAG}))"
)
DELIVERY_RULES = admitted_when(
    (
        _UNIQUE_ROUTERS,
        "two deliveries write to the same flag, route or field; remove one of them",
    )
)
ONE_ROUTER = (
    "[has(self.flag), has(self.httpRoute), has(self.field)].filter(given, given).size() == 1",
    "needs exactly one of flag, httpRoute, field; keep one of them",
)
# The group of a version is what stands before its slash.
_OWN = (
    "(!has(d.field.target) || d.field.target.name == self.target.name && d.field.target.kind == self.target.kind"
    " && d.field.target.apiVersion.split('/')[0] == self.target.apiVersion.split('/')[0])"
)
TARGET_RULES = (
    ("has(self.prompt) != has(self.target)", "needs exactly one of prompt, target; keep one of them"),
    (
        "has(self.target) || self.delivery.all(d, !has(d.field) || has(d.field.target))",
        "a delivery's field has no object to write to; add a target to it",
    ),
    (
        (
            f"!has(self.target) || self.delivery.all(d, !has(d.field) || !{_OWN} || self.target.fields.all(f,"
            " f != d.field.path && !f.startsWith(d.field.path + '.') && !d.field.path.startsWith(f + '.')))"
        ),
        "a delivery's field overlaps target.fields; a weight is no release; declare the fields beside it",
    ),
    (
        (
            "!has(self.target) || !self.target.apiVersion.startsWith('serving.kserve.io/')"
            f" || self.delivery.all(d, !has(d.field) || !{_OWN} || d.field.path.contains('.')"
            " && self.target.fields.all(f, f.startsWith("
            "d.field.path.split('.')[0] + '.' + d.field.path.split('.')[1] + '.')))"
        ),
        (
            "a field is in another component than the weight; KServe splits each component by itself; release it by a"
            " Rollout of its own"
        ),
    ),
    (
        f"!has(self.target) || has(self.target.exposure) || self.delivery.exists(d, has(d.field) && {_OWN})",
        (
            "no delivery writes a weight into the target; an edit would reach everybody at once;"
            " add delivery.field, or exposure: Immediate to accept that"
        ),
    ),
)
BACKENDS_RULES = admitted_when(
    ("size(self) != 2 || self[0] != self[1]", "names the same Service twice; the arms swap; name two Services")
)
GATES_RULES = admitted_when((unique("@.name"), "names a gate twice; verdicts are kept by gate; name each gate once"))
JUDGED_TWICE = (
    "(has(s.weight) || has(s.shadow)) && has(s.gates) && s.gates.exists(g, self.gates.exists(h, h.name == g.name))"
)
ARGS_RULES = admitted_when(
    (
        "self.all(name, name.matches('^[a-zA-Z_][a-zA-Z0-9_]{0,62}$'))",
        "a parameter's name is made of letters, digits and _; rename it in the gate and here",
    )
)
MATCH_RULES = admitted_when(
    (
        "self.all(name, name.matches('^[a-zA-Z_][a-zA-Z0-9_]{0,127}$'))",
        "a label's name is made of letters, digits and _; write it as the alert has it",
    )
)
DEADLINE_RULES = admitted_when(
    IS_DURATION, (POSITIVE_DURATION, "progressDeadline is no time at all; write 1h, or remove it")
)
