"""Flag documents as headgate writes them, by hand."""

import json


def document(*, weight: int, stable: str = "support-reply-v7", candidate: str = "support-reply-v9") -> str:
    """A flagd document that gives the candidate to `weight` percent of the companies."""
    customer = {"var": "companyId"}
    share = {"fractional": [{"cat": ["support-reply", customer]}, ["candidate", weight], ["stable", 100 - weight]]}
    flag = {
        "state": "ENABLED",
        "variants": {
            "stable": {"version": stable, "arm": "stable"},
            "candidate": {"version": candidate, "arm": "candidate"},
        },
        "defaultVariant": "stable",
        "targeting": {"if": [{"!": [customer]}, "stable", share]},
    }
    return json.dumps({"flags": {"support-reply": flag}})
