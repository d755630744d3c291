"""Settings of auth_svc: the base settings of chassis, and its own."""

from pathlib import Path

from chassis.env import env
from chassis.settings import base, refuse_in_production

globals().update(base(service="auth", app="accounts", root=Path(__file__).resolve().parent.parent))

AUTH_SIGNING_KEYS = env(
    "AUTH_SIGNING_KEYS",
    list,
    [],
    "Ed25519 keys for access tokens, `kid:base64` each, the signing one first; empty: made from SECRET_KEY",
    secret=True,
)
AUTH_RATE = env(
    "AUTH_RATE", int, 30, "log-ins, and registrations, per minute and address; the burst is the same"
)
AUTH_ACCOUNT_RATE = env(
    "AUTH_ACCOUNT_RATE",
    int,
    AUTH_RATE,
    "log-in attempts per minute and account, from anywhere; as AUTH_RATE unless set",
)
AUTH_HASHES_AT_ONCE = env(
    "AUTH_HASHES_AT_ONCE", int, 4, "passwords hashed at the same time; each takes 19 MiB"
)
AUTH_HASH_PATIENCE = env(
    "AUTH_HASH_PATIENCE", float, 3.0, "seconds that a log-in waits for its turn before 503"
)
REFRESH_DAYS = env("REFRESH_DAYS", int, 30, "days that a sign-in lasts without the password")
STAFF_SESSION_HOURS = env("STAFF_SESSION_HOURS", int, 12, "hours that a staff session lasts")

# This service asks itself, in the process, what the others ask over HTTP.
ACCESS_KEYS = "accounts.keys.own_keys"
STAFF_EXCHANGE = "accounts.container.staff_exchange"

refuse_in_production(globals(), [("AUTH_SIGNING_KEYS is not set", not AUTH_SIGNING_KEYS)])
