"""Create a Secret with a CA once, by which the API signs its own certificates.

Usage: python -m clipmill_operator.initial_authority SECRET NAME...

The Secret has the entries `ca.crt` and `ca.key`. The CA is valid for these host names and addresses
only, so that its key signs nothing else. An existing Secret is left unchanged.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clipmill_operator.initial_secrets import secret_of, store

LIFETIME = timedelta(days=3650)
# Clocks of other nodes may be behind.
CLOCK_SKEW = timedelta(hours=1)
CERTIFICATE, KEY = "ca.crt", "ca.key"
_MAY_SIGN = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def new_authority(names: Sequence[str], now: datetime) -> dict[str, str]:
    """Return the certificate and the key of a new CA in PEM, by the entries of its Secret.

    Args:
        names: Host names and addresses that it may sign certificates for.
        now: Time from which it is valid, less the skew of clocks.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Clipmill CA of {names[0]}"[:64])]
    )
    permitted = x509.NameConstraints([_constraint(name) for name in names], None)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_MAY_SIGN, critical=True)
        .add_extension(permitted, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return {CERTIFICATE: certificate.public_bytes(pem).decode(), KEY: private.decode()}


def _constraint(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ip_network(name))
    return x509.DNSName(name)


if __name__ == "__main__":
    store(secret_of(sys.argv[1], new_authority(sys.argv[2:], datetime.now(UTC))))
