"""Why a router was not written although the API server would have taken it. Knows no router."""


class Fenced(Exception):
    """The router shows a higher revision: whoever wrote it knows more. Read the Rollout again."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the router carries revision {revision}, which is higher")
        self.revision = revision
        """The revision that is there."""


class Unusable(Exception):
    """The router cannot be written until a person changes something; the text says what, where and how."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
