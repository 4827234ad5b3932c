"""What the content of a token's file must be to be sent as one. Reads no file."""


def is_bearer_token(text: str) -> bool:
    """Whether it can stand in a header: something, in one line of printable ASCII."""
    return bool(text) and text.isascii() and text.isprintable()
