"""Lists and dicts that do not change, for the value types: they hash, and equal the plain ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, SupportsIndex, TypeAlias, TypeVar, Union, overload

__all__ = ["FrozenDict", "FrozenList", "Json", "frozen", "thawed"]

# What JSON has. Integers have 64 bits at most; dicts have str keys.
Json: TypeAlias = Union[bool, int, float, str, "Sequence[Json]", "Mapping[str, Json]", None]

Item = TypeVar("Item")
Key = TypeVar("Key")
Member = TypeVar("Member")


class FrozenList(tuple[Item, ...]):
    """A tuple that also equals a list of the same items, so `page.items == []` means what it says.

    >>> FrozenList([1, 2]) == [1, 2] == FrozenList((1, 2))
    True
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Compare with a tuple or a list."""
        return tuple.__eq__(self, tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        """Compare with a tuple or a list."""
        return not self == other

    @overload
    def __getitem__(self, index: SupportsIndex) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> FrozenList[Item]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Item | FrozenList[Item]:
        """One item; a slice equals lists too."""
        if isinstance(index, slice):
            return FrozenList(tuple.__getitem__(self, index))
        return tuple.__getitem__(self, index)

    def __hash__(self) -> int:
        """As the tuple."""
        return tuple.__hash__(self)

    def __repr__(self) -> str:
        """As the list that it equals."""
        return repr(list(self))


def _refuse(self: FrozenDict[Any, Any], *_args: object, **_more: object) -> NoReturn:
    raise TypeError("this dict is part of a value and does not change; change dict(it) instead")


class FrozenDict(dict[Key, Member]):
    """A dict that does not change once made, and therefore hashes.

    >>> FrozenDict(a=1) == {"a": 1}
    True
    >>> FrozenDict(a=1)["a"] = 2
    Traceback (most recent call last):
    TypeError: this dict is part of a value and does not change; change dict(it) instead
    """

    __slots__ = ()

    def __new__(cls, *args: Any, **members: Any) -> FrozenDict[Key, Member]:
        """Take the members here, as a tuple does, and not in `__init__`, which may be called again.

        Args:
            args: as of dict, like the members.
            members: more of them.
        """
        made = super().__new__(cls)
        dict.update(made, *args, **members)
        return made

    # Takes what `__new__` took and does nothing.
    __init__: Callable[..., None] = object.__init__

    __setitem__: Callable[..., NoReturn] = _refuse
    __delitem__: Callable[..., NoReturn] = _refuse
    __ior__: Callable[..., NoReturn] = _refuse
    clear: Callable[..., NoReturn] = _refuse
    pop: Callable[..., NoReturn] = _refuse
    popitem: Callable[..., NoReturn] = _refuse
    setdefault: Callable[..., NoReturn] = _refuse
    update: Callable[..., NoReturn] = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        """Hash the members, whatever their order."""
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as a whole, since members cannot be set one by one."""
        return type(self), (dict(self),)


def json_value(text: str) -> Any:
    """The value of a JSON text, all the way down without anything that changes."""
    return frozen(json.loads(text))


def frozen(value: Any) -> Any:
    """The same value with its lists, tuples and dicts, all the way down, as ones that hash.

    >>> frozen({"tags": ["a"]}) == {"tags": ["a"]} and type(frozen(["a"]))
    <class 'accounting.frozen.FrozenList'>
    """
    if isinstance(value, dict):
        return FrozenDict({key: frozen(member) for key, member in value.items()})
    if isinstance(value, (list, tuple)):
        return FrozenList(map(frozen, value))
    return value


def thawed(value: Any) -> Any:
    """The same value as plain dicts and lists, which may be changed.

    >>> thawed(FrozenDict(tags=FrozenList(["a"])))
    {'tags': ['a']}
    """
    if isinstance(value, dict):
        return {key: thawed(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [thawed(item) for item in value]
    return value
