"""The client's guard: who does not lead sends no write, and reads go on."""

import pytest
from kubernetes.aio.client.configuration import Configuration

from headgate.cluster.client import Client
from headgate.cluster.objects import CONFIG_MAP, EVENT, ROLLOUT, NotLeading, Unavailable


async def test_no_write_is_sent_by_who_does_not_lead() -> None:
    client = Client(Configuration(host="http://127.0.0.1:1"), may_write=lambda: False)
    try:
        with pytest.raises(NotLeading, match=r"POST /api/v1/namespaces/ai/events: not sent"):
            await client.create(EVENT, "ai", {})
        with pytest.raises(NotLeading):
            await client.merge_patch(ROLLOUT, "ai", "reply", {}, resource_version="1", subresource="status")
        with pytest.raises(NotLeading):
            await client.json_patch(ROLLOUT, "ai", "reply", [])
        with pytest.raises(Unavailable):
            await client.get(CONFIG_MAP, "ai", "reply")
    finally:
        await client.close()
