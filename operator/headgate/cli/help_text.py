"""What stands below every command's --help: examples, and the exit statuses. Knows no command."""

from headgate.cli.exit_statuses import MEANINGS, ExitStatus


def epilog(*examples: str, statuses: tuple[ExitStatus, ...]) -> str:
    """The end of a --help."""
    table = "; ".join(f"{int(status)} {MEANINGS[status]}" for status in statuses)
    label = "Example" if len(examples) == 1 else "Examples"
    return "\n\n".join([f"{label}:", *(f"  {example}" for example in examples), f"Exit status: {table}."])
