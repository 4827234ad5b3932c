"""HTTP to the servers on 127.0.0.1, past the proxies of the environment, which lead away from there."""

import requests

from headgate.local.certificates import Certificates

_TIMEOUT = 10.0


def request(
    method: str,
    url: str,
    *,
    certificates: Certificates | None = None,
    client: str = "admin",
    body: str = "",
    content_type: str = "",
) -> requests.Response:
    """The answer, whatever its status; with `certificates` as that client of that control plane.

    Raises:
        requests.RequestException: there is no answer within ten seconds, or it is not from whom it should be.
    """
    with _session(certificates, client) as session:
        headers = {"Content-Type": content_type, "Accept": "application/json"} if body else None
        return session.request(method, url, data=body.encode() or None, headers=headers, timeout=_TIMEOUT)


def answers(url: str, *, certificates: Certificates | None = None, client: str = "admin") -> bool:
    """Whether a GET of it succeeds now."""
    try:
        return request("GET", url, certificates=certificates, client=client).ok
    except requests.RequestException:
        return False


def begins(url: str, *, certificates: Certificates | None = None, client: str = "admin") -> bool:
    """Whether an answer without an end, such as a watch's, begins with success. What it says is not read."""
    with _session(certificates, client) as session:
        try:
            with session.get(url, stream=True, timeout=_TIMEOUT) as answer:
                return answer.ok
        except requests.RequestException:
            return False


def _session(certificates: Certificates | None, client: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    if certificates is not None:
        session.verify = str(certificates.authority)
        session.cert = (str(certificates.certificate(client)), str(certificates.key(client)))
    return session
