"""What an event may hold. Bytes of UTF-8, because the API server counts bytes where it says characters.

Source: pkg/apis/core/validation/events.go of Kubernetes 1.36 (NoteLengthLimit and its neighbours). It asks them of
events.k8s.io/v1 only; core/v1, which is lax, gets no more either.
"""

from __future__ import annotations

MESSAGE_BYTES = 1024
REASON_BYTES = 128
ACTION_BYTES = 128
INSTANCE_BYTES = 128

_CUT = "…"


def shortened(text: str, most: int) -> str:
    """`text` in at most `most` bytes: cut after a whole character, which "…" shows. What UTF-8 cannot hold is "?"."""
    encoded = text.encode(errors="replace")  # a lone surrogate, as from a file name that is no UTF-8
    if len(encoded) <= most:
        return encoded.decode()
    return encoded[: most - len(_CUT.encode())].decode(errors="ignore") + _CUT
