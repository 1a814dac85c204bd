"""Pickles of strangers, read without executing them.

A pickle is a program for a small machine: some of its instructions call functions that it names, others ask for memory
by a number. To describe lists, or a dictionary of tensors, takes a few harmless ones. The machines here know no others,
name nothing, call nothing, and make nothing that is larger than the pickle.
"""

from __future__ import annotations

import pickletools  # nosec B403
from collections.abc import Callable
from math import prod
from typing import Any, BinaryIO

#: Bytes of a number in a storage of torch.
_STORAGES = {
    "torch HalfStorage": 2,
    "torch BFloat16Storage": 2,
    "torch FloatStorage": 4,
    "torch IntStorage": 4,
    "torch DoubleStorage": 8,
    "torch LongStorage": 8,
}
_DICTIONARY, _TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
_MARK = object()


class UnsafePickleError(ValueError):
    """A pickle that holds something else than it should."""


class ListReader:
    """Reads lists and whole numbers."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}
        push, put, get = self._stack.append, self._put, self._get
        self._steps: dict[str, Callable[[Any], object]] = {
            **dict.fromkeys(("PROTO", "FRAME"), lambda _: None),
            **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1"), push),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), put),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), get),
            "MEMOIZE": lambda _: put(len(self._memory)),
            "MARK": lambda _: push(_MARK),
            "EMPTY_LIST": lambda _: push([]),
            "LIST": lambda _: push(self._since_mark()),
            "APPEND": lambda _: self._extend([self._stack.pop()]),
            "APPENDS": lambda _: self._extend(self._since_mark()),
        }

    def read(self, file: BinaryIO) -> Any:
        """Read one pickle.

        Parameters
        ----------
        file : binary file
            In memory; is left behind the pickle.

        Returns
        -------
        object
            What it describes.

        Raises
        ------
        UnsafePickleError
            It describes something else than it may.
        Exception
            It is damaged.
        """
        self._stack.clear()
        self._memory.clear()
        for instruction, argument, _ in pickletools.genops(file):
            if instruction.name == "STOP":
                break
            if instruction.name not in self._steps:
                raise UnsafePickleError(f"the instruction {instruction.name}")
            self._steps[instruction.name](argument)
        return self._stack.pop()

    def _put(self, place: int) -> None:
        self._memory[place] = self._stack[-1]

    def _get(self, place: int) -> None:
        self._stack.append(self._memory[place])

    def _extend(self, items: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise UnsafePickleError("a list that is none")
        self._stack[-1].extend(items)

    def _since_mark(self) -> list[Any]:
        """Take what was put down since the last mark."""
        items = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]


class TensorReader(ListReader):
    """Goes through dictionaries of tensors, as torch writes them, and notes how many bytes these claim.

    In place of a dictionary it puts an empty one, in place of a tensor nothing, and in place of a storage its length.

    Attributes
    ----------
    claims : dict
        Bytes of each storage by its key.
    """

    def __init__(self) -> None:
        super().__init__()
        self.claims: dict[str, int] = {}
        push = self._stack.append
        self._steps |= {
            **dict.fromkeys(("BINUNICODE", "BINFLOAT", "NONE"), push),
            "NEWTRUE": lambda _: push(True),
            "NEWFALSE": lambda _: push(False),
            "EMPTY_DICT": lambda _: push({}),
            "EMPTY_TUPLE": lambda _: push(()),
            "TUPLE": lambda _: push(tuple(self._since_mark())),
            "TUPLE1": lambda _: push(self._taken(1)),
            "TUPLE2": lambda _: push(self._taken(2)),
            "TUPLE3": lambda _: push(self._taken(3)),
            "SETITEM": lambda _: self._set(list(self._taken(2))),
            "SETITEMS": lambda _: self._set(self._since_mark()),
            "GLOBAL": self._name,
            "REDUCE": lambda _: push(self._called(*self._taken(2))),
            "BUILD": lambda _: self._check_attributes(self._stack.pop()),
            "BINPERSID": lambda _: push(self._storage(self._stack.pop())),
        }

    def _taken(self, count: int) -> tuple[Any, ...]:
        """Take what was put down last."""
        return tuple([self._stack.pop() for _ in range(count)][::-1])

    def _set(self, items: list[Any]) -> None:
        """Keys and values in turn, for the dictionary before them."""
        if type(self._stack[-1]) is not dict or any(type(key) is not str for key in items[::2]):
            raise UnsafePickleError("a dictionary that has other keys than names")

    def _check_attributes(self, attributes: object) -> None:
        """Of a dictionary, which torch gives the versions of its layers; a tensor could be made another one so."""
        if type(self._stack[-1]) is not dict or type(attributes) is not dict:
            raise UnsafePickleError("something that is changed after it was made")

    def _name(self, name: str) -> None:
        if name not in {_DICTIONARY, _TENSOR, *_STORAGES}:
            raise UnsafePickleError(name.replace(" ", "."))
        self._stack.append(name)

    def _called(self, name: object, given: tuple[Any, ...]) -> object:
        """What stands for an empty dictionary or a tensor."""
        if name == _DICTIONARY and given == ():
            return {}
        if name != _TENSOR:
            raise UnsafePickleError("a call of something else than a tensor")
        count, first, shape, steps, *_ = given
        last = first + sum((size - 1) * step for size, step in zip(shape, steps, strict=True))
        if min(first, *shape, *steps, 0) < 0 or max(last + 1, prod(shape)) > count:
            raise UnsafePickleError("a tensor that is larger than its storage")  # which torch would make larger
        return None

    def _storage(self, saved: object) -> int:
        """The length of a storage, which comes as a word, its type, its key, where it was, and its length."""
        if not isinstance(saved, tuple) or saved[:1] != ("storage",) or saved[5:] not in ((), (None,)):
            raise UnsafePickleError("a reference to something else than a storage")
        _, kind, key, _, count = saved[:5]
        if kind not in _STORAGES or type(key) is not str or type(count) is not int or count < 0:
            raise UnsafePickleError("a storage without a size")
        self.claims[key] = max(self.claims.get(key, 0), _STORAGES[kind] * count)
        return count
