"""Who a request is sent as, when that is not the operator itself: the one header, and what may stand in it.

No group is named: the API server then gives the account those that every ServiceAccount has, and the operator needs
the right to impersonate ServiceAccounts alone, neither users nor groups.
"""

from headgate.cluster.objects import Refused
from headgate.cluster.segments import is_namespace, is_object_name

HEADER = "Impersonate-User"


def user_of(namespace: str, service_account: str) -> str:
    """The user name of a ServiceAccount. Raises Refused for what is none, before anything is sent.

    An empty name is refused too: an empty header would be no impersonation, and the request the operator's own.
    """
    if not is_namespace(namespace) or not is_object_name(service_account):
        raise Refused(f"{namespace[:80]!r}/{service_account[:80]!r} is no ServiceAccount's name; nothing is sent as it")
    return f"system:serviceaccount:{namespace}:{service_account}"
