"""The budgets of the design, "What it must cost", with the peers' figures: Flagger 1.44 and Argo Rollouts 1.9.2."""

from bench.figures import Budget

ROLLOUT_REQUESTS = Budget(20, "145", "109–166")
REQUESTS_AT_REST = Budget(0, "66", "1")
REQUESTS_IN_A_HOLD = Budget(1, "108", "6")
ROUTERS_AT_ZERO = Budget(0.1, "10.0 s", "0.28 s")
TARGET_AT_ZERO = Budget(0.1)
SPEC_RESTORED = Budget(0.2)
ALERT_TO_ZERO = Budget(0.15)
HAND_OVER = Budget(15.0)
START = Budget(5.0)

LOAD_500_CPU = Budget(6.0, "8.9", "67")
LOAD_500_MEMORY = Budget(120, "91", "321")
LOAD_500_LATENESS = Budget(0.3, "0.99", "0.31")
LOAD_500_ALL_BREAK = Budget(12.0, "19.5", "39.7")

LOAD_10_000_CPU = Budget(60.0)
LOAD_10_000_MEMORY = Budget(600)
LOAD_10_000_LATENESS = Budget(1.0)
