"""The five-minute start: a price, credits, one streamed answer, and proof that the books balance.

python examples/python/quickstart.py
"""

import accounting


def main() -> int:
    """Bill one answer and print what happened."""
    # In memory. "sqlite:///credits.db" keeps a file; "postgresql://user:pw@host/db" is a server.
    with accounting.open("sqlite://") as books:
        # Credits per 1,000 tokens, exact: a price is text, a Decimal or an int, never a float.
        books.pricing.set("atlas", "2.5", created_by="admin")

        books.accounts.sync("ada", "ada@example.org", "Ada")
        books.credits.allocate("ada", 1_000, allocated_by="admin", expiry_days=30)

        # Before the answer streams, its estimated price and 20 % more are held.
        session = books.sessions.initialize("s-1", "ada", "atlas", estimated_tokens=12_000)
        print(f"held for the answer   {session.allocated_credits} credits")

        # While it streams, each report is a sign of life.
        books.sessions.report("s-1", "ada", tokens_so_far=5_000)
        print(f"meanwhile to spend    {books.credits.balance('ada').total_credits} credits")

        # At the end only what was used is paid, and the rest of the hold goes back.
        settlement = books.sessions.finalize("s-1", "ada", actual_tokens=8_700)
        print(f"used                  {settlement.actual_credits} credits")
        print(f"refunded              {settlement.refund} credits")

        print(f"balance               {books.credits.balance('ada').total_credits} credits")

        ok = books.verify().ok
        print(f"books balance         {'yes' if ok else 'no'}")
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
