"""The command lines of etcd and kube-apiserver: every flag, and why it is there. Starts nothing."""

from dataclasses import dataclass
from pathlib import Path

from headgate.local.certificates import Certificates

_AUDIT_POLICY = Path(__file__).with_name("audit-policy.yaml")


@dataclass(frozen=True, slots=True)
class EtcdCommand:
    """An etcd that only clients with a certificate of this control plane can talk to."""

    program: Path
    data: Path
    certificates: Certificates
    port: int
    peer_port: int

    def arguments(self) -> list[str | Path]:
        """The command line."""
        client, peer = f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer_port}"
        return [
            self.program,
            f"--data-dir={self.data}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            # Nobody joins, but etcd has no way to leave this out.
            f"--listen-peer-urls={peer}",
            f"--cert-file={self.certificates.certificate('server')}",
            f"--key-file={self.certificates.key('server')}",
            f"--trusted-ca-file={self.certificates.authority}",
            "--client-cert-auth",
            # A power failure may cost the data, which nobody will miss; a crash of etcd does not.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]


@dataclass(frozen=True, slots=True)
class ApiServerCommand:
    """A kube-apiserver that audits every request and authorises by RBAC, or lets every authenticated client do all."""

    program: Path
    directory: Path
    """For what it writes by itself."""
    certificates: Certificates
    port: int
    etcd_port: int
    audit_log: Path
    rbac: bool

    def arguments(self) -> list[str | Path]:
        """The command line."""
        return [self.program, *self._listening(), *self._storage(), *self._identity(), *self._auditing()]

    def _listening(self) -> list[str]:
        return [
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--cert-dir={self.directory}",
            f"--tls-cert-file={self.certificates.certificate('server')}",
            f"--tls-private-key-file={self.certificates.key('server')}",
            # A machine without a default route has no other address; and EndpointSlices refuse a loopback one, so
            # that the `kubernetes` Service does without.
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
        ]

    def _storage(self) -> list[str]:
        return [
            f"--etcd-servers=https://127.0.0.1:{self.etcd_port}",
            f"--etcd-cafile={self.certificates.authority}",
            f"--etcd-certfile={self.certificates.certificate('etcd-client')}",
            f"--etcd-keyfile={self.certificates.key('etcd-client')}",
        ]

    def _identity(self) -> list[str]:
        return [
            f"--client-ca-file={self.certificates.authority}",
            f"--authorization-mode={'RBAC' if self.rbac else 'AlwaysAllow'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.certificates.key('service-account')}",
            f"--service-account-signing-key-file={self.certificates.key('service-account')}",
            # It refuses each Pod whose ServiceAccount a controller would have made; there is none.
            "--disable-admission-plugins=ServiceAccount",
        ]

    def _auditing(self) -> list[str]:
        return [
            f"--audit-policy-file={_AUDIT_POLICY}",
            f"--audit-log-path={self.audit_log}",
            # In megabytes; 0 would mean 100, and whoever counts requests needs all of them in one file.
            "--audit-log-maxsize=1000000",
        ]
