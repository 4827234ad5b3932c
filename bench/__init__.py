"""Measures headgate against the budgets of its design: `make bench`. Everything runs on real parts, on this machine."""
