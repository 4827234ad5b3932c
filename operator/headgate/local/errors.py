"""The one error that the embedded control plane raises; its message is a single line for the person at the terminal."""


class LocalError(Exception):
    """Something on this machine keeps a local control plane from running: what happened, where, and what to do."""
