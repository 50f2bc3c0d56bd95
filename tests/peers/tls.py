"""Certificates for loopback peers, good and bad, from an authority made for the test."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass
class Authority:
    """Signs certificates; `folder` is where OpenSSL finds them."""

    folder: Path

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self._certificate = self._sign(self._name, self._key, None, DAY)

    def client(self) -> ssl.SSLContext:
        """Verifies against this authority alone."""
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=_pem(self._certificate).decode())
        return context

    def server(
        self, host: str = "localhost", life: timedelta = DAY, *, own: bool = False
    ) -> ssl.SSLContext:
        """A server's context for `host`; `own` makes it sign its certificate itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._sign(name, key, host, life, own=own)
        path = self.folder / f"{host}-{life.total_seconds()}-{own}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(private + _pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def mutual(self, host: str = "localhost") -> ssl.SSLContext:
        """A server's context that wants a certificate of this authority from its clients."""
        context = self.server(host)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=_pem(self._certificate).decode())
        return context

    def written(self, name: str = "ca") -> Path:
        """Its own certificate, as a file."""
        path = self.folder / f"{name}.pem"
        path.write_bytes(_pem(self._certificate))
        return path

    def identity(self, name: str, password: bytes | None = None) -> tuple[Path, Path]:
        """A certificate for `name` and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key, name, DAY)
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_bytes(_pem(certificate))
        hidden = serialization.BestAvailableEncryption(password) if password else None
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                hidden or serialization.NoEncryption(),
            )
        )
        return paths

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        host: str | None,
        life: timedelta,
        *,
        own: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if own else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 10 * DAY)
            .not_valid_after(now + life)
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host is not None:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(key if own else self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
