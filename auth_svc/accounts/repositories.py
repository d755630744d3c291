"""The collections of auth_svc and their indexes."""

from chassis.couch import Collection, Index

from .domain import Account, EmailClaim, MailRequest, StaffSession, TokenFamily

DATABASE = "accounts"

ACCOUNTS = Collection(
    database=DATABASE,
    kind="account",
    type=Account,
    indexes=(
        Index("created", ("created_at",)),
        Index("email", ("email",)),
        Index("active", ("active", "created_at")),
        Index("verified", ("email_verified", "created_at")),
    ),
)
EMAILS = Collection(
    database=DATABASE, kind="email", type=EmailClaim, indexes=(Index("created", ("created_at",)),)
)
FAMILIES = Collection(
    database=DATABASE, kind="family", type=TokenFamily, indexes=(Index("expires", ("expires_at",)),)
)
SESSIONS = Collection(
    database=DATABASE, kind="session", type=StaffSession, indexes=(Index("expires", ("expires_at",)),)
)
MAILS = Collection(database=DATABASE, kind="mail", type=MailRequest, indexes=(Index("asked", ("asked_at",)),))
COLLECTIONS = (ACCOUNTS, EMAILS, FAMILIES, SESSIONS, MAILS)
