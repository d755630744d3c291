"""What secrets are made of. Pure: nothing here talks to Docker, and nothing is written anywhere."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import ipaddress
import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

ACCOUNT = "hivemart"
"""name of Azurite's one account"""
SELF_SIGNED_DAYS = 397  # browsers refuse longer ones


def password() -> str:
    """256 random bits, safe in URLs and configuration files."""
    return secrets.token_urlsafe(32)


def ed25519_key_pair() -> tuple[str, str]:
    """Return a private key and its public one, each as base64 of the raw bytes."""
    key = Ed25519PrivateKey.generate()
    return (
        base64.b64encode(key.private_bytes_raw()).decode(),
        base64.b64encode(key.public_key().public_bytes_raw()).decode(),
    )


def signing_key() -> str:
    """`kid:base64` as AUTH_SIGNING_KEYS has it; the name says when it was made."""
    made = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d")
    return f"{made}-{secrets.token_hex(4)}:{ed25519_key_pair()[0]}"


def couch_ini(admin_password: str) -> str:
    """CouchDB's own configuration, with the hash of its administrator's password.

    One iteration would do for 256 random bits; ten is what CouchDB itself took before 3.4. The server's id
    and cookie secret are fixed here, because a fresh id would make replications start from the beginning.
    Source: https://docs.couchdb.org/en/stable/config/index.html.
    """
    salt = secrets.token_hex(16)
    derived = hashlib.pbkdf2_hmac("sha1", admin_password.encode(), salt.encode(), 10).hex()
    return (
        f"[admins]\nadmin = -pbkdf2-{derived},{salt},10\n\n"
        f"[couchdb]\nsingle_node = true\nuuid = {secrets.token_hex(16)}\nmax_document_size = 16000000\n\n"
        "[chttpd]\nbind_address = any\nport = 5984\nrequire_valid_user_except_for_up = true\n\n"
        f"[chttpd_auth]\nsecret = {secrets.token_hex(32)}\niterations = 1000\n\n"
        "[cluster]\nq = 1\nn = 1\n\n"
        "[log]\nlevel = warning\n"
    )


def redis_conf(redis_password: str) -> str:
    """Nothing is kept on disk: losing Redis loses no event (docs/architecture.md)."""
    return (
        f'bind 0.0.0.0\nport 6379\nrequirepass {redis_password}\nsave ""\nappendonly no\ndir /tmp\n'
        "maxmemory 128mb\nmaxmemory-policy noeviction\nloglevel warning\n"
    )


def azurite_key() -> str:
    return base64.b64encode(secrets.token_bytes(48)).decode()


def azurite_connection(key: str) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};"
        f"BlobEndpoint=http://azurite:10000/{ACCOUNT};"
    )


def fingerprint(value: bytes, salt: str) -> str:
    """Return a hash by which a value is recognised and not revealed (scrypt, RFC 7914)."""
    return hashlib.scrypt(value, salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32).hex()


def new_fingerprint(value: bytes) -> str:
    """`salt:hash`, for a label."""
    salt = secrets.token_hex(16)
    return f"{salt}:{fingerprint(value, salt)}"


def fingerprint_matches(value: bytes, stored: str) -> bool:
    """Whether a fingerprint is that of this value."""
    salt, _, expected = stored.partition(":")
    return bool(expected) and hmac.compare_digest(fingerprint(value, salt), expected)


def self_signed_certificate(domain: str) -> tuple[str, str]:
    """Return a certificate for this host name and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(domain)]
    if domain == "localhost":
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


def certificate_expiry(pem: bytes) -> datetime.datetime:
    """Until when the first certificate of a PEM file holds. ValueError if it is none."""
    return x509.load_pem_x509_certificate(pem).not_valid_after_utc


def is_key_of(certificate: bytes, key: bytes) -> bool:
    """Whether a PEM key is that of a PEM certificate. ValueError if they cannot be read."""
    public = serialization.load_pem_private_key(key, password=None).public_key()
    encoding = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public.public_bytes(*encoding) == x509.load_pem_x509_certificate(
        certificate
    ).public_key().public_bytes(*encoding)
