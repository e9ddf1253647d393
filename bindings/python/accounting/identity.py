"""Tokens: which are accepted, and by which keys.

>>> import accounting
>>> verifier = accounting.JwtVerifier(secret="a secret of at least thirty-two bytes")
>>> verifier.verify("no.token.really")
Traceback (most recent call last):
accounting.errors.Unauthenticated: the token was refused
"""

from __future__ import annotations

from collections.abc import Iterable

from accounting import _core
from accounting.clock import ManualClock
from accounting.errors import InvalidArgument
from accounting.values import Principal, TokenInspection

__all__ = ["JwtKey", "JwtVerifier"]


class JwtKey:
    """A key that verifies tokens of one algorithm. Made by `from_secret` and `from_pem`."""

    __slots__ = ("_core",)

    def __init__(self, core: _core.JwtKey) -> None:
        """For `from_secret` and `from_pem`; not for callers."""
        self._core = core

    @classmethod
    def from_secret(cls, secret: bytes | str, algorithm: str, kid: str | None = None) -> JwtKey:
        """A shared secret.

        Args:
            secret: at least as long as the hash; a str counts as its UTF-8. No PEM.
            algorithm: "HS256", "HS384" or "HS512".
            kid: the name by which a token's header may select the key.

        Raises:
            InvalidArgument: it does not quote the secret.
        """
        return cls(_core.JwtKey.from_secret(secret, algorithm, kid))

    @classmethod
    def from_pem(cls, pem: bytes | str, algorithm: str, kid: str | None = None) -> JwtKey:
        """One public key in PEM.

        Args:
            pem: RSA of at least 2,048 bits, or the curve that the algorithm names.
            algorithm: "RS256" to "RS512", "PS256" to "PS512" or "ES256" to "ES512".
            kid: the name by which a token's header may select the key.

        Raises:
            InvalidArgument: it does not quote the key.
        """
        return cls(_core.JwtKey.from_pem(pem, algorithm, kid))

    def __repr__(self) -> str:
        """Without the key."""
        return "<accounting.JwtKey>"


class JwtVerifier:
    """Verifies access tokens of the authentication service. Thread-safe.

    The checks and their order are on the page docs/identity.md.
    """

    __slots__ = ("_core",)

    def __init__(
        self,
        secret: bytes | str | None = None,
        keys: Iterable[JwtKey] = (),
        jwks: str | None = None,
        issuer: str | None = None,
        audience: str | None = None,
        leeway_seconds: int = 0,
        clock: ManualClock | None = None,
    ) -> None:
        """Take the keys, all of which verify, so that they can be rotated.

        Args:
            secret: of HS256, at least 32 bytes; a str counts as its UTF-8.
            keys: further keys.
            jwks: a JSON Web Key Set as text; nothing is fetched.
            issuer: what `iss` must be; None: not looked at.
            audience: what `aud` must be or hold; None: not looked at.
            leeway_seconds: how far the clocks may be apart: 0 to 60.
            clock: None: the machine's.

        Raises:
            InvalidArgument: it names the argument and quotes no key.
        """
        if clock is not None and not isinstance(clock, ManualClock):
            raise InvalidArgument("clock", f"a ManualClock or None, not a {type(clock).__name__}")
        cores = [key._core if isinstance(key, JwtKey) else key for key in keys]
        self._core = _core.JwtVerifier(
            secret,
            cores,
            jwks,
            issuer,
            audience,
            leeway_seconds,
            None if clock is None else clock._core,
        )

    def verify(self, token: str) -> Principal:
        """Who holds the token.

        Raises:
            Unauthenticated: its `reason` is for the host's logs, its message for anybody.
        """
        return self._core.verify(token)

    def inspect(self, token: str) -> TokenInspection:
        """The same checks, explained to an administrator. Raises nothing for a bad token."""
        return self._core.inspect(token)

    def __repr__(self) -> str:
        """Without the keys."""
        return "<accounting.JwtVerifier>"
