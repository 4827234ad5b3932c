"""The chart with Alertmanager's webhook: a Service, and the tokens where the configuration looks for them."""

import subprocess

import pytest
import yaml

from headgate.api.configuration import Configuration
from manifests.render import render
from tests.packaging.test_chart import documents

FILE = "/var/run/headgate/alerts/token"
CONFIGURED = [
    "--set=alerts.secretName=alert-tokens",
    f"--set=config.alerts.tokens[0].file={FILE}",
    "--set=config.alerts.tokens[0].namespaces[0]=ai",
]


def test_alerts_are_received_where_the_service_leads_and_with_the_tokens_that_are_mounted() -> None:
    text = render(*CONFIGURED)
    [service] = documents(text, "Service")
    [deployment] = documents(text, "Deployment")
    pod = deployment["spec"]["template"]
    [container] = pod["spec"]["containers"]
    [configuration] = documents(text, "ConfigMap")
    alerts = Configuration.model_validate(yaml.safe_load(configuration["data"]["config.yaml"])).alerts
    assert alerts is not None
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports[service["spec"]["ports"][0]["targetPort"]] == alerts.address[1]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    [volume] = [volume for volume in pod["spec"]["volumes"] if "secret" in volume]
    assert volume["secret"]["secretName"] == "alert-tokens"
    assert alerts.tokens[0].file.startswith(mounts[volume["name"]])


def test_without_a_secret_there_is_no_service() -> None:
    assert documents(render(), "Service") == []


def test_tokens_without_a_configuration_are_refused() -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render(CONFIGURED[0])
    assert "config.alerts" in refused.value.stderr


@pytest.mark.parametrize("moved", ["alerts.port=9999", "config.alerts.listen=0.0.0.0:9999"])
def test_a_port_at_which_nothing_listens_is_refused(moved: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render(*CONFIGURED, f"--set={moved}")
    assert "let both name one port" in refused.value.stderr


def test_another_port_is_named_in_both_places() -> None:
    moved = render(*CONFIGURED, "--set=alerts.port=9999", "--set-string=config.alerts.listen=0.0.0.0:9999")
    [service] = documents(moved, "Service")
    assert service["spec"]["ports"][0]["port"] == 9999
