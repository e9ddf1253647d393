"""The rules of the books in plain Python, written from their specification and nothing else.

Slow and obvious on purpose: lists that are searched, integers and fractions, no database. The
stateful test holds the real books against it, so it must never be made to agree by copying how
they work. Answers are plain dicts and lists, in the form of the values' `to_dict`.
"""

from model.books import ModelBooks
from model.state import Refused

__all__ = ["ModelBooks", "Refused"]
