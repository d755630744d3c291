"""The stack's Docker secrets: made once, versioned, never printed, never overwritten.

A secret is named `<stack>_<name>_v<N>` and carries labels; the newest version is the one in force. Docker
does not give values back, so what is derived from a value is made in the same moment and kept beside it:
a public key as a label, CouchDB's hash and Redis' configuration as secrets of their own.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from swarm import key_material
from swarm.cluster import STACK_LABEL, Cluster, Failed
from swarm.options import Options
from swarm.shop import SERVICES, SIGNERS

NAME, VERSION = "hivemart.secret", "hivemart.version"
PUBLIC = "hivemart.public-key"  # of a service's key
USER = "hivemart.couch-user"  # whose password it is
FINGERPRINT = "hivemart.fingerprint"  # of a value that a person gave
SIGNED_FOR = "hivemart.self-signed-for"
EXPIRES_AT = "hivemart.not-after"
RENEW_DAYS = 30


@dataclass(frozen=True)
class Secret:
    """One version of a secret; its value is nowhere to be had."""

    name: str
    version: int
    id: str
    docker_name: str
    labels: Mapping[str, str]


class Secrets:
    """The secrets of one stack."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def all(self) -> list[Secret]:
        """Every version, oldest first."""
        found = self._cluster.api.secrets(filters={"label": f"{STACK_LABEL}={self._cluster.stack}"})
        labelled = [raw for raw in found if NAME in raw["Spec"]["Labels"]]
        return sorted(map(_secret, labelled), key=lambda secret: (secret.name, secret.version))

    def newest(self) -> dict[str, Secret]:
        """Return the version in force of each."""
        return {secret.name: secret for secret in self.all()}

    def previous(self, name: str) -> Secret | None:
        """Return the version before the one in force, if it is still there."""
        versions = [secret for secret in self.all() if secret.name == name]
        return versions[-2] if len(versions) > 1 else None

    def make(self, name: str, value: str, labels: Mapping[str, str] | None = None) -> Secret:
        """Return a new version, in force from the next deploy on."""
        stack, current = self._cluster.stack, self.newest().get(name)
        version = current.version + 1 if current else 1
        full = f"{stack}_{name}_v{version}"
        own = {STACK_LABEL: stack, NAME: name, VERSION: str(version), **(labels or {})}
        made = self._cluster.api.create_secret(full, value, labels=own)
        return Secret(name, version, made["ID"], full, own)

    def remove(self, secret: Secret) -> None:
        """Docker refuses while a service has it."""
        self._cluster.api.remove_secret(secret.id)

    # -- one version of each kind

    def make_couch_admin(self, service: str) -> None:
        """Make the administrator's password of a CouchDB, and the configuration with its hash."""
        password = key_material.password()
        self.make(f"{service}_couch_ini", key_material.couch_ini(password))
        self.make(f"{service}_couch_admin", password)

    def make_couch_user(self, service: str) -> Secret:
        """Make a password for the service, for a user of another name: both are good for a while."""
        current = self.newest().get(f"{service}_couch_user")
        number = current.version + 1 if current else 1
        user = service if number == 1 else f"{service}-{number}"
        return self.make(f"{service}_couch_user", key_material.password(), {USER: user})

    def make_secret_key(self, service: str) -> None:
        self.make(f"{service}_secret_key", key_material.password())

    def make_service_key(self, service: str) -> None:
        private, public = key_material.ed25519_key_pair()
        self.make(f"{service}_service_key", private, {PUBLIC: public})

    def make_signing_key(self, name: str) -> Secret:
        """Of access tokens: one that signs, or the spare one, which is published beside it."""
        return self.make(name, key_material.signing_key())

    def make_redis(self) -> None:
        password = key_material.password()
        self.make("redis_conf", key_material.redis_conf(password))
        self.make("redis_password", password)

    def make_azurite(self) -> None:
        key = key_material.azurite_key()
        self.make("azurite_accounts", f"{key_material.ACCOUNT}:{key}")
        self.make("azurite_connection", key_material.azurite_connection(key))

    def make_self_signed(self, domain: str) -> None:
        certificate, key = key_material.self_signed_certificate(domain)
        labels = {
            SIGNED_FOR: domain,
            EXPIRES_AT: key_material.certificate_expiry(certificate.encode()).isoformat(),
        }
        self.make("tls_cert", certificate, labels)
        self.make("tls_key", key, labels)

    # -- all that a deploy needs

    def ensure(self) -> list[str]:
        """Make what is missing; names of what was made, with a word for the person where there is one."""
        options, before = self._cluster.options, self.newest()
        made = []
        for names, make in self._generators(options):
            if not before.keys() >= set(names):
                make()
                made.append(names[-1])
        made += self._store_supplied("azure_connection", options.blob_store)
        made += self._store_supplied("email_password", options.mail.password)
        return made + (self._ensure_certificate(before) if options.tls else [])

    def _generators(self, options: Options) -> list[tuple[tuple[str, ...], Callable[[], object]]]:
        """Return what must be there, and how it is made; what is made together is renewed together."""
        generators: list[tuple[tuple[str, ...], Callable[[], object]]] = [
            (("redis_conf", "redis_password"), self.make_redis),
            (("auth_signing_keys",), partial(self.make_signing_key, "auth_signing_keys")),
            (("auth_spare_signing_key",), partial(self.make_signing_key, "auth_spare_signing_key")),
        ]
        for name in SIGNERS:
            generators += [
                ((f"{name}_secret_key",), partial(self.make_secret_key, name)),
                ((f"{name}_service_key",), partial(self.make_service_key, name)),
            ]
        for name in SERVICES:
            generators += [
                ((f"{name}_couch_ini", f"{name}_couch_admin"), partial(self.make_couch_admin, name)),
                ((f"{name}_couch_user",), partial(self.make_couch_user, name)),
            ]
        own_store = (("azurite_accounts", "azurite_connection"), self.make_azurite)
        return generators if options.blob_store else [*generators, own_store]

    def _store_supplied(self, name: str, value: str) -> list[str]:
        """Keep a value that a person gave, if it is another one than before."""
        current = self.newest().get(name)
        if not value or (
            current and key_material.fingerprint_matches(value.encode(), current.labels.get(FINGERPRINT, ""))
        ):
            return []
        self.make(name, value, {FINGERPRINT: key_material.new_fingerprint(value.encode())})
        return [name]

    def _ensure_certificate(self, before: Mapping[str, Secret]) -> list[str]:
        """Return the certificate of the files; else the one in force; else a self-signed one."""
        options = self._cluster.options
        if options.tls_cert and options.tls_key:
            return self._store_certificate(options.tls_cert.read_bytes(), options.tls_key.read_bytes())
        current = before.get("tls_key")
        if current and "tls_cert" in before and not _needs_renewal(current, options.domain):
            return []
        self.make_self_signed(options.domain)
        return [
            f"tls: a self-signed certificate for {options.domain}; give TLS_CERT and TLS_KEY for a real one"
        ]

    def _store_certificate(self, certificate: bytes, key: bytes) -> list[str]:
        try:
            if not key_material.is_key_of(certificate, key):
                raise Failed("TLS_KEY is not the key of TLS_CERT.")
            expires_at = key_material.certificate_expiry(certificate)
        except (ValueError, TypeError) as error:
            raise Failed("TLS_CERT and TLS_KEY must be PEM files, the key without a passphrase.") from error
        if expires_at < datetime.datetime.now(datetime.UTC):
            raise Failed(f"TLS_CERT ended on {expires_at:%d %B %Y}: give a certificate that holds.")
        current = self.newest().get("tls_key")
        if current and key_material.fingerprint_matches(
            certificate + key, current.labels.get(FINGERPRINT, "")
        ):
            return []
        labels = {
            FINGERPRINT: key_material.new_fingerprint(certificate + key),
            EXPIRES_AT: expires_at.isoformat(),
        }
        self.make("tls_cert", certificate.decode(), labels)
        self.make("tls_key", key.decode(), labels)
        return [f"tls: the given certificate, which ends on {expires_at:%d %B %Y}"]


def public_keys(newest: Mapping[str, Secret]) -> dict[str, str]:
    """SERVICE_PUBLIC_KEYS, from the labels of the services' keys."""
    return {name: newest[f"{name}_service_key"].labels[PUBLIC] for name in SIGNERS}


def _needs_renewal(secret: Secret, domain: str) -> bool:
    """Whether a self-signed certificate is for another name, or ends soon."""
    signed_for = secret.labels.get(SIGNED_FOR)
    if signed_for is None:
        return False
    remaining = datetime.datetime.fromisoformat(secret.labels[EXPIRES_AT]) - datetime.datetime.now(
        datetime.UTC
    )
    return signed_for != domain or remaining < datetime.timedelta(days=RENEW_DAYS)


def _secret(raw: Mapping[str, Any]) -> Secret:
    labels = raw["Spec"]["Labels"]
    return Secret(labels[NAME], int(labels[VERSION]), raw["ID"], raw["Spec"]["Name"], labels)
