"""A server's TLS certificate: loaded, tried out, and asked for which names it stands."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.media.readable import check_readable


@dataclass(frozen=True)
class Certificate:
    """A certificate that browsers could accept."""

    context: ssl.SSLContext
    names: tuple[str, ...]
    """Names and addresses it is made out to, those with * left out."""


def load(certificate: Path, key: Path) -> Certificate:
    """A server's TLS from two PEM files. Raises InputError if they cannot be used."""
    check_readable(certificate, what="certificate")
    check_readable(key, what="key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    asked = []

    def no_password() -> str:
        asked.append(key)
        return "none"

    try:
        context.load_cert_chain(certificate, key, no_password)
    except ssl.SSLError as error:
        if asked:
            raise InputError(
                f"{key} is locked with a password. Make a copy without: openssl pkey -in {key} -out open-key.pem"
            ) from error
        if error.reason == "KEY_VALUES_MISMATCH":
            raise InputError(f"{key} is not the key of {certificate}. Give the two that were made together.") from error
        raise InputError(
            f"{certificate} and {key} are not a certificate and its key in PEM form (-----BEGIN …). "
            "Convert or make them again."
        ) from error
    return Certificate(context, _names(context, certificate))


def _names(server: ssl.SSLContext, certificate: Path) -> tuple[str, ...]:
    """What the certificate says to a visitor who trusts it, learned by a handshake in memory."""
    visitor = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    visitor.check_hostname = False
    visitor.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    visitor.load_verify_locations(certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [visitor.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)]
    try:
        for end in ends * 3:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    except ssl.SSLCertVerificationError as error:
        raise InputError(
            f"Browsers will not accept {certificate}: {error.verify_message}. Renew it, or make another."
        ) from error
    found: dict[str, Any] = ends[0].getpeercert() or {}
    made_out_to = found.get("subjectAltName", ())
    names = [name.lower() for kind, name in made_out_to if kind == "DNS" and "*" not in name]
    addresses = [str(ipaddress.ip_address(name.strip())) for kind, name in made_out_to if kind == "IP Address"]
    return (*names, *addresses)
