"""This module owns the certificate with which the server's own cameras speak DTLS: one on P-256, made once.

ffmpeg's WHIP muxer, built with GnuTLS, would make itself one on P-224, which OpenSSL refuses.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.cameras.pulls import Pair
from server.private_file import write_private

LIFETIME = timedelta(days=3650)


def kept_pair(folder: Path) -> Pair:
    """The files of certificate and key in `folder`, made at the first call."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not (cert.exists() and key.exists()):
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tongke camera")])
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + LIFETIME)
            .sign(private, hashes.SHA256())
        )
        form = serialization.PrivateFormat.PKCS8
        write_private(key, private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        write_private(cert, signed.public_bytes(serialization.Encoding.PEM))
    return Pair(str(cert), str(key))
