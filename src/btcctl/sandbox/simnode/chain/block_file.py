"""Blocks on disk: one line each, in the order in which they were seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from btcctl.sandbox.simnode.chain.block import Block


class BlockFile:
    """Append-only. A line that a crash cut short is dropped when the file is opened.

    Args:
        path: Made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b", buffering=0)

    def read(self) -> Iterator[Block]:
        """Every whole block. What follows the first broken line is cut off: the peers will send it again."""
        self._file.seek(0)
        good_bytes = 0
        for line in self._file.readlines():
            try:
                block = Block.decode(line.decode("ascii").removesuffix("\n"))
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            good_bytes += len(line)
            yield block
        self._file.truncate(good_bytes)

    def append(self, block: Block) -> None:
        self._file.write(f"{block.encode()}\n".encode("ascii"))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
