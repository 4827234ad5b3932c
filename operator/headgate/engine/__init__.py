"""Pure decisions: state machine, verdicts, bucketing, calendar; no I/O, no clock, only api and the standard library."""
