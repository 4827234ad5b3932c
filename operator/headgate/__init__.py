"""Headgate: takes a new prompt, model or configuration to customers step by step, and back when the evidence fails."""

__version__ = "0.1.0"
