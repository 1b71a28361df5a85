"""A server certificate that the API signs for itself by a CA."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=90)
# Clocks of clients may be behind that of the API.
CLOCK_SKEW = timedelta(hours=1)


def issue_certificate(
    authority: bytes, authority_key: bytes, names: tuple[str, ...], now: datetime
) -> bytes:
    """Return a new key and a certificate for host names and addresses, in PEM.

    Args:
        authority: Certificates in PEM; the first is that of the CA.
        authority_key: Its key in PEM.
        names: Host names and IP addresses.
        now: Time from which the certificate is valid, less the skew of clocks.

    Raises:
        ValueError: The CA or its key cannot be read, or they do not belong together.
    """
    issuer = x509.load_pem_x509_certificates(authority)[0]
    signing_key = serialization.load_pem_private_key(authority_key, password=None)
    if not isinstance(signing_key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key of the CA is not one of an elliptic curve")
    if signing_key.public_key() != issuer.public_key():
        raise ValueError("the key of the CA is not that of its first certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    public_key, issuer_key = key.public_key(), signing_key.public_key()
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
    certificate = (
        x509.CertificateBuilder(issuer.subject, subject, public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - CLOCK_SKEW, issuer.not_valid_before_utc))
        .not_valid_after(min(now + LIFETIME, issuer.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName(list(map(_general_name, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(authority_id, critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key_pem


def _general_name(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ip_address(name))
    return x509.DNSName(name)
