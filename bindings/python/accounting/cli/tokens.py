"""`accounting token inspect`: what a token says, and why it is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from accounting.cli.desk import at_desk
from accounting.cli.exits import ExitCode, Refused
from accounting.cli.options import Json
from accounting.cli.output import Cell
from accounting.cli.stdin import read_line
from accounting.identity import JwtKey, JwtVerifier
from accounting.values import TokenInspection

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Tokens of the authentication service.")

_SECRET = "ACCOUNTING_JWT_SECRET"


# A group of one command would lose its name.
@app.callback()
def _group() -> None:
    """Tokens of the authentication service."""


@app.command("inspect")
def inspect(
    jwks: Annotated[
        Path | None, typer.Option("--jwks", metavar="FILE", help="A JSON Web Key Set.")
    ] = None,
    pem: Annotated[
        Path | None, typer.Option("--pem", metavar="FILE", help="A public key; with --algorithm.")
    ] = None,
    algorithm: Annotated[
        str, typer.Option("--algorithm", metavar="ALG", help="Of --pem, for example ES256.")
    ] = "RS256",
    issuer: Annotated[str | None, typer.Option("--issuer", help="What `iss` must be.")] = None,
    audience: Annotated[str | None, typer.Option("--audience", help="What `aud` must be.")] = None,
    leeway: Annotated[int, typer.Option("--leeway", help="Seconds, 0 to 60.")] = 0,
    json: Json = False,
) -> None:
    """Read a token from stdin and explain why it is accepted or refused.

    The keys are those of --jwks and --pem and the HS256 secret in
    ACCOUNTING_JWT_SECRET. Exit code 1 where the token is refused.
    """
    with at_desk(None, json) as desk:
        secret = os.environ.get(_SECRET) or None
        if secret is None and jwks is None and pem is None:
            raise Refused(f"name a key: --jwks, --pem, or the secret in {_SECRET}")
        verifier = JwtVerifier(
            secret,
            [] if pem is None else [JwtKey.from_pem(pem.read_bytes(), algorithm)],
            None if jwks is None else jwks.read_text(encoding="utf-8"),
            issuer,
            audience,
            leeway,
        )
        inspection = verifier.inspect(read_line("a token"))
        if desk.out.as_json:
            desk.out.json(inspection)
        else:
            colour = "green" if inspection.accepted else "red"
            word = "accepted" if inspection.accepted else f"refused: {inspection.problem}"
            desk.out.line((word, colour))
            desk.out.card("Token", _fields(inspection))
        if not inspection.accepted:
            raise typer.Exit(ExitCode.REFUSED)


def _fields(inspection: TokenInspection) -> dict[str, Cell]:
    return {
        "why": inspection.explanation,
        "header": inspection.header,
        "claims": inspection.claims,
    }
