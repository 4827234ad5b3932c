"""Foreign words made fit for statuses, Events and logs: one line of printable characters. Knows no terminal."""


def plain(text: str) -> str:
    """The text with every character that does not print as itself made a blank: controls, line ends, bidi marks.

    Else a name, an alert or a server's message could forge a line where people read it with kubectl.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " for sign in text)
