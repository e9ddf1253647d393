"""Limits of the library, for what checks before it asks. A test holds them against the library."""

from __future__ import annotations

__all__ = [
    "FRACTIONAL_DIGITS",
    "LARGEST_CREDITS",
    "LARGEST_DAYS",
    "LARGEST_PRICE",
    "LONGEST_MODEL_ID",
    "LONGEST_NAME",
    "LONGEST_NOTES",
    "MOST_AT_ONCE",
]

LARGEST_CREDITS = 10**15
LARGEST_DAYS = 1_000_000

# Credits per 1,000 tokens.
LARGEST_PRICE = 10**15
FRACTIONAL_DIGITS = 10

# In bytes of UTF-8. A name is a user_id, or whoever allocates, sets a price or revokes.
LONGEST_NAME = 50
LONGEST_MODEL_ID = 100
LONGEST_NOTES = 10_000

# Rows that one call answers, or sessions that one call ends.
MOST_AT_ONCE = 1_000
