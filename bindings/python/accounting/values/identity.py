"""Who calls, API keys, and who changed what."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime

from accounting.frozen import Json
from accounting.values.base import Value
from accounting.values.enums import Role

__all__ = ["ApiKey", "AuditEntry", "IssuedApiKey", "KeyIdentity", "Principal", "TokenInspection"]


@dataclasses.dataclass(frozen=True, slots=True)
class Principal(Value):
    """Who calls, as a verified token says it.

    Attributes:
        user_id: 1 to 50 bytes of UTF-8.
        username: for people.
        email: need not be unique.
        role: what the caller may do. Also taken as its word.
    """

    user_id: str
    username: str = ""
    email: str = ""
    role: Role = Role.USER


@dataclasses.dataclass(frozen=True, slots=True)
class ApiKey(Value):
    """An API key as it is stored: without its secret.

    Attributes:
        id: counts from 1 within the account.
        user_id: whose it is.
        name: for people.
        prefix: what the key begins with, before its first underscore.
        last_four: its last four characters, to tell keys apart.
        permissions: what it may be used for.
        is_active: False: suspended, until it is resumed.
        created_at: when, in UTC.
        expires_at: until when, in UTC; None: never expires.
        last_used: to the minute, in UTC; None: not yet.
        revoked_at: when, in UTC; None: not revoked.
    """

    id: int
    user_id: str
    name: str
    prefix: str
    last_four: str
    permissions: tuple[str, ...]
    is_active: bool
    created_at: datetime
    expires_at: datetime | None
    last_used: datetime | None
    revoked_at: datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class IssuedApiKey(Value):
    """A new API key with its secret, which is nowhere else and cannot be had again.

    Attributes:
        key: the secret; not in the repr.
        api_key: the rest.
    """

    key: str = dataclasses.field(repr=False)
    api_key: ApiKey


@dataclasses.dataclass(frozen=True, slots=True)
class KeyIdentity(Value):
    """What a valid API key stands for.

    Attributes:
        user_id: its owner.
        permissions: what it may be used for.
        key_id: the key's id within the account.
    """

    user_id: str
    permissions: tuple[str, ...]
    key_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class AuditEntry(Value):
    """One change of an account, a price or a key; never changed itself.

    Attributes:
        user_id: whose account or key; empty for prices.
        id: counts from 1 within the user_id.
        actor: "host", "principal:<user_id>" or "key:<key_id>:<user_id>".
        operation: for example "api_keys.revoke".
        subject: what was changed: a user_id, a key's id or a model_id.
        details: what it is now; instants in microseconds since 1970. Never a secret.
        created_at: when, in UTC.
    """

    user_id: str
    id: int
    actor: str
    operation: str
    subject: str
    details: Mapping[str, Json]
    created_at: datetime


@dataclasses.dataclass(frozen=True, slots=True)
class TokenInspection(Value):
    """What a token says and why it is accepted or refused; not for whoever sent it.

    Attributes:
        accepted: whether `verify` accepts it.
        problem: the word of `Unauthenticated.reason`; None where it is accepted.
        explanation: a sentence, for example "exp was 2026-01-01T00:00:00Z, 63 seconds ago".
        header: JSON text as received; None where there is none to read.
        claims: the same. To be believed only where the signature is not what was refused.
        principal: who calls, where the token is accepted.
    """

    accepted: bool
    problem: str | None
    explanation: str
    header: str | None
    claims: str | None
    principal: Principal | None
