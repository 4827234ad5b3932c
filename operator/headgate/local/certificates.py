"""Makes the certificates and keys of a control plane on 127.0.0.1: one authority that signs a server and clients."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALIDITY = dt.timedelta(days=3650)
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are, all PEM."""

    directory: Path

    @property
    def authority(self) -> Path:
        """The certificate that signed all others."""
        return self.directory / "ca.crt"

    def certificate(self, name: str) -> Path:
        """The certificate of `server`, `admin` or `etcd-client`."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """The private key of one of those, or of `service-account`, which signs tokens."""
        return self.directory / f"{name}.key"


def create(directory: Path) -> Certificates:
    """Certificates for one control plane; those that a control plane made here before are used again."""
    made = Certificates(directory)
    if made.key("service-account").exists():
        return made
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    _write(made.authority, _pem(authority))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    alternatives = x509.SubjectAlternativeName([*(x509.DNSName(name) for name in _NAMES), address])
    for name, organisation, extra in (
        ("server", None, alternatives),
        # RBAC gives this group everything, whatever else the cluster says.
        ("admin", "system:masters", None),
        ("etcd-client", None, None),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _signed(_subject(name, organisation), extra, key, authority=authority, authority_key=authority_key)
        _write(made.certificate(name), _pem(signed))
        _write(made.key(name), _pem(key))
    # Last, because its presence says that all are there.
    _write(made.key("service-account"), _pem(ec.generate_private_key(ec.SECP256R1())))
    return made


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _subject("headgate local authority", None)
    return (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _signed(
    subject: x509.Name,
    alternatives: x509.SubjectAlternativeName | None,
    key: ec.EllipticCurvePrivateKey,
    *,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    # etcd's server calls itself as a client with its server certificate.
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(subject, authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes if alternatives else purposes[1:]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    if alternatives:
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is set back a little must not make them invalid.
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _subject(name: str, organisation: str | None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(thing: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    # Kubernetes takes the public half of a signing key only from this format.
    return thing.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes) -> None:
    file.touch(mode=0o600)
    file.write_bytes(content)
