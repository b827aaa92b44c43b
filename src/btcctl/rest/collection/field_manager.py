"""Who owns the fields that a program writes: its field manager, as the server calls it."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import PurePath

#: The server refuses longer ones (apimachinery, FieldManagerMaxLength).
MAX_BYTES = 128

MUST_BE_CHOSEN = (
    "an apply needs a field manager that was chosen: fields that it no longer says are dropped, if they were "
    "this manager's before; so programs that share a name would undo each other's work. "
    "ApiClient(…, field_manager='my-operator'), or apply(…, field_manager='my-operator')"
)


@cache
def program_name() -> str:
    """The name of the program that runs, as client-go has it (rest.DefaultKubernetesUserAgent): its file's.

    `python -m package` and `package/__main__.py` are the package; without a file it is "python".
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:  # python -m
        name = spec.name.removesuffix(".__main__")
    else:
        path = PurePath(sys.argv[0] if sys.argv else "")
        if path.name == "__main__.py":
            path = path.parent
        name = path.name.removesuffix(".py")
    usable = "".join(letter for letter in name if letter.isprintable() and letter.isascii())
    has_name = any(letter.isalnum() for letter in usable)  # of a name in another script, blanks may be left
    return usable.strip()[:MAX_BYTES] if has_name and usable != "-c" else "python"


def checked_manager(name: str) -> str:
    """Return `name` if the server takes it.

    Raises:
        ValueError: It is no text, too long, or not printable.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"a field manager is a name, not {name!r}")
    if not name.isprintable():
        raise ValueError(f"field manager {name!r} has characters that cannot be printed")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise ValueError(f"field manager {name!r} is no text that can be sent") from None
    if size > MAX_BYTES:
        raise ValueError(f"field manager {name!r} has {size} bytes: the server takes {MAX_BYTES}")
    return name
