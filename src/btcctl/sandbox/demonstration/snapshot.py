"""A chain that a node begins with: the sandbox's share of the start-up script."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from btcctl.errors import ConfigError
from btcctl.named_files import check_file

# Blocks last: whoever finds them finds all.
_PARTS = ("chainstate", "blocks")
HAS_FILTERS = hasattr(tarfile, "data_filter")  #: Pythons before 3.11.4 have none


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where it is, and where it goes: both are the chain's own directory, with blocks and chainstate at the top."""

    source: Path
    chain_dir: Path

    def unpack(self) -> None:
        """Unless the node has blocks already.

        Raises:
            ConfigError: There is no such snapshot, or nothing of a chain in it.
        """
        if (self.chain_dir / "blocks").is_dir():
            return
        part = self.chain_dir.with_name(".snapshot")
        shutil.rmtree(part, ignore_errors=True)
        try:
            self._read_into(part)
            if not (part / "blocks").is_dir():
                raise ConfigError(f"the snapshot {self.source} has no blocks at its top")
            self.chain_dir.mkdir(exist_ok=True)
            for name in _PARTS:
                if (part / name).is_dir():
                    (part / name).rename(self.chain_dir / name)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _read_into(self, part: Path) -> None:
        part.mkdir()
        try:
            if self.source.is_dir():
                for name in _PARTS:
                    if (self.source / name).is_dir():
                        shutil.copytree(self.source / name, part / name)
            else:
                check_file(self.source)
                with tarfile.open(self.source) as archive:
                    _unpack(archive, part)
        except (OSError, tarfile.TarError, shutil.Error) as error:
            raise ConfigError(f"the snapshot {self.source} cannot be read: {error}") from error


def _unpack(archive: tarfile.TarFile, into: Path) -> None:
    """Files and folders, none of which may be anywhere else.

    Raises:
        TarError: It has others.
    """
    if HAS_FILTERS:
        archive.extractall(into, filter="data")
        return
    for member in archive:
        path = PurePosixPath(member.name)
        if not (member.isreg() or member.isdir()) or path.is_absolute() or ".." in path.parts:
            raise tarfile.ReadError(f"{member.name} is neither a file nor a folder of its own")
        there, content = into / path, archive.extractfile(member)
        (there if content is None else there.parent).mkdir(parents=True, exist_ok=True)
        if content is not None:
            with content, there.open("wb") as file:
                shutil.copyfileobj(content, file)
