"""What an event may hold. Bytes of UTF-8, because the API server counts bytes where it says characters.

Source: pkg/apis/core/validation/events.go of Kubernetes 1.36 (NoteLengthLimit and its neighbours). It asks them of
events.k8s.io/v1 only; core/v1, which is lax, gets no more either.
"""

from __future__ import annotations

import re

MESSAGE_BYTES = 1024
REASON_BYTES = 128
ACTION_BYTES = 128
INSTANCE_BYTES = 128

_CUT = "…"
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED_NAME = re.compile(rf"((?P<prefix>{_LABEL}(\.{_LABEL})*)/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
_PREFIX_BYTES = 253


def shortened(text: str, most: int) -> str:
    """`text` in at most `most` bytes: cut after a whole character, which "…" shows. What UTF-8 cannot hold is "?"."""
    encoded = text.encode(errors="replace")  # a lone surrogate, as from a file name that is no UTF-8
    if len(encoded) <= most:
        return encoded.decode()
    return encoded[: most - len(_CUT.encode())].decode(errors="ignore") + _CUT


def check_component(name: str) -> None:
    """Check a reportingController: the server refuses every event of one that is no qualified name.

    Raises:
        ValueError: It is none.
    """
    match = _QUALIFIED_NAME.fullmatch(name)
    if match is None or len(match["prefix"] or "") > _PREFIX_BYTES:
        raise ValueError(
            f"{name!r} cannot report events: it must be 63 letters, digits, -, _ and . at most, "
            "or that after a domain and a slash"
        )
