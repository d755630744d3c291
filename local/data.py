"""The data folder: everything that a shop keeps, and the secrets that were made for it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SERVICES = ("auth", "catalog", "cart", "checkout", "logs", "reco")
SIGNERS = (*SERVICES, "storefront")
ADMIN_EMAIL = "admin@hivemart.example"


class InvalidData(Exception):
    """The data folder cannot be used; the text is one sentence for the person at the terminal."""


class DataFolder:
    """A data folder that exists and may be written to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @classmethod
    def open(cls, path: Path) -> DataFolder:
        """Return the folder, made if it is missing. BadData if that cannot be."""
        if path.exists() and not path.is_dir():
            raise InvalidData(f"DATA={path} is a file, not a folder.")
        try:
            path.mkdir(parents=True, exist_ok=True)
            for name in ("couch", "valkey", "azurite", "mail", "gateway/cache", "stopped", *SIGNERS):
                (path / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidData(f"DATA={path} cannot be written to: {error.strerror}.") from error
        return cls(path)

    def lock(self) -> None:
        """Take the folder for this process until it ends. BadData if another shop has it."""
        self._lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.unlock()
            raise self._in_use_error() from error

    def check_free(self) -> None:
        """BadData if another shop has the folder now; it need not be there yet."""
        if self.is_locked():
            raise self._in_use_error()

    def _in_use_error(self) -> InvalidData:
        run = self.running()
        who = f" (process {run['pid']}, port {run['port']})" if run else ""
        return InvalidData(f"A shop already runs on DATA={self.path}{who}: stop it, or choose another DATA.")

    def unlock(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def is_locked(self) -> bool:
        """Whether a supervisor has the folder now."""
        try:
            with (self.path / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except BlockingIOError:
            return True
        return False

    def running(self) -> dict[str, Any] | None:
        """Return what the supervisor last wrote about itself, or None."""
        try:
            return dict(json.loads((self.path / "run.json").read_text()))
        except (OSError, ValueError):
            return None

    def write_running(self, run: Mapping[str, Any]) -> None:
        write_private(self.path / "run.json", run)

    def secrets(self) -> dict[str, Any]:
        """Return the secrets of this shop, made at its first start. BadData if they were lost or damaged."""
        file = self.path / "secrets.json"
        if not file.exists():
            if any((self.path / "couch").iterdir()):
                raise InvalidData(
                    f"{file} is missing but {self.path}/couch has data: put it back, or choose another DATA."
                )
            write_private(file, new_secrets())
        return read_secrets(file)

    def step_done(self, what: str) -> bool:
        """Whether a step of the first start is behind us."""
        return (self.path / f"{what}.done").exists()

    def mark_step_done(self, what: str) -> None:
        (self.path / f"{what}.done").touch()


def read_secrets(file: Path) -> dict[str, Any]:
    """Return the secrets in this file. BadData if it does not hold all of them."""
    try:
        found = json.loads(file.read_text())
        missing = [name for name in ("couch", "valkey", "azurite", "admin", "services") if name not in found]
        missing += [name for name in SIGNERS if name not in found.get("services", {})]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidData(f"{file} is damaged ({error}): put back a copy, or choose another DATA.") from error
    if missing:
        raise InvalidData(
            f"{file} is damaged ({missing[0]} is missing): put back a copy, or choose another DATA."
        )
    return dict(found)


def write_private(file: Path, content: Mapping[str, Any]) -> None:
    """JSON that only its owner may read, written in one step."""
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(content, out, indent=1)
    new.replace(file)


def new_secrets() -> dict[str, Any]:
    """Fresh secrets for a shop."""
    return {
        "couch": secrets.token_urlsafe(24),
        "valkey": secrets.token_urlsafe(24),
        "azurite": base64.b64encode(secrets.token_bytes(48)).decode(),
        "admin": {"email": ADMIN_EMAIL, "password": secrets.token_urlsafe(12)},
        "services": {name: _service_secrets() for name in SIGNERS},
    }


def _service_secrets() -> dict[str, str]:
    return {
        "secret_key": secrets.token_urlsafe(48),
        "private_key": base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode(),
    }


def public_keys(services: Mapping[str, Mapping[str, str]], names: Sequence[str] = SIGNERS) -> dict[str, str]:
    """name -> public Ed25519 key (base64 of the raw bytes)."""
    return {name: _public_key(services[name]["private_key"]) for name in names}


def _public_key(private: str) -> str:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()
