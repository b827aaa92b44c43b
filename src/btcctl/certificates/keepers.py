"""How certificates come to a server: by files that somebody else makes, or made here, and known to nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from btcctl.certificates.identity import Identity
from btcctl.certificates.issuing import Certificates, due_seconds, renewed
from btcctl.clock import Clock
from btcctl.errors import ConfigError, describe_error
from btcctl.logging import get_logger
from btcctl.named_files import read_file, shown_name
from btcctl.secret import SecretBytes
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

_LOOK_SECONDS = 5.0  # from one look at files to the next


class FileKeeper:
    """Has the server use files that somebody else makes, and makes anew in time. A service.

    Args:
        directory: Of tls.crt, tls.key (as of kubernetes.io/tls) and perhaps ca.crt.
    """

    def __init__(self, directory: str, identity: Identity, clock: Clock) -> None:
        self._directory = Path(directory)
        self._identity = identity
        self._runner = Runner(f"certificates of {identity.served}", self.run, clock=clock)
        self._complaint = ""

    def start(self) -> None:
        """Read them, and look at them again from time to time in a thread.

        Raises:
            ConfigError: They are not there, or cannot be used.
        """
        self.read()
        self._runner.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Look no more. Idempotent."""
        self._runner.stop(timeout)

    def run(self, stop: Stop) -> None:
        """Look until `stop` is set. Blocks."""
        while not stop.wait(_LOOK_SECONDS):
            try:
                self.read()
                self._complaint = ""
            except ConfigError as error:  # half written, perhaps: the old ones serve meanwhile
                if str(error) != self._complaint:
                    what = self._identity.served
                    logger.warning("certificates cannot be read", what=what, error=describe_error(error))
                self._complaint = str(error)

    def read(self) -> None:
        """Use what there is now.

        Raises:
            ConfigError: It is not there, or cannot be used.
        """
        certificate, key = self._part("tls.crt"), self._part("tls.key")
        try:
            authorities: bytes = read_file(self._directory / "ca.crt")
        except OSError:
            authorities = b""
        self._identity.use(Certificates(certificate, SecretBytes(key), authorities))

    def _part(self, name: str) -> bytes:
        path = self._directory / name
        try:
            return read_file(path)
        except OSError as error:
            raise ConfigError(f"{shown_name(path)}: {error.strerror}") from None


class MemoryKeeper:
    """Makes certificates for this process alone, and anew in time: nobody is told whom to believe. A service.

    Args:
        hosts: For which they are to be.
    """

    def __init__(self, hosts: Sequence[str], identity: Identity, clock: Clock) -> None:
        self._hosts = hosts
        self._identity = identity
        self._clock = clock
        self._current: Certificates | None = None
        self._runner = Runner(f"certificates of {identity.served}", self.run, clock=clock)

    def start(self) -> None:
        """Make the first ones, and later ones in a thread."""
        self.renew()
        self._runner.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Make no more. Idempotent."""
        self._runner.stop(timeout)

    def run(self, stop: Stop) -> None:
        """Make them anew whenever they are due, until `stop` is set. Blocks."""
        while not stop.wait(self._renew_or_look_again()):
            pass

    def _renew_or_look_again(self) -> float:
        try:
            return self.renew()
        except ConfigError as error:  # no descriptor is left, perhaps: the old one serves meanwhile
            logger.warning("certificates cannot be renewed", what=self._identity.served, error=describe_error(error))
            return _LOOK_SECONDS

    def renew(self) -> float:
        """Make what is due; returns for how many seconds nothing will be."""
        now = self._clock.wall_time()
        self._current = renewed(self._current, self._hosts, now)
        self._identity.use(self._current)
        return due_seconds(self._current, now)
