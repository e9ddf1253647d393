"""Tokens as an authentication service signs them, and keys for checkpoints, for the tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from accounting import ManualClock

SECRET = b"a secret of thirty-two bytes, at least"

# RFC 8037, A.1
PRIVATE_KEY = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
"""


def part(value: object) -> str:
    text = json.dumps(value) if not isinstance(value, bytes) else value.decode("latin-1")
    return base64.urlsafe_b64encode(text.encode("latin-1")).rstrip(b"=").decode()


def token(clock: ManualClock, secret: bytes = SECRET, **claims: Any) -> str:
    """An access token of ada's that is good for an hour, with other claims where given."""
    now = int(clock.now().timestamp())
    all_claims = {
        "sub": "ada",
        "username": "Ada",
        "email": "ada@example.org",
        "role": "user",
        "type": "access",
        "iat": now,
        "exp": now + 3_600,
        **claims,
    }
    kept = {name: value for name, value in all_claims.items() if value is not None}
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(kept)}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
