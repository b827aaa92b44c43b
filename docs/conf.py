"""How Sphinx makes a site of these pages: `make docs`. Whatever it warns of is an error there."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)

project = "btcctl"
author = "the authors of btcctl"
release = importlib.metadata.version("btcctl")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

# Pages are Markdown, as they are read in the repository.
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

# Docstrings: Google's sections; one pair of backticks is code, as in Markdown.
default_role = "code"
autodoc_default_options = {"members": True, "undoc-members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
napoleon_numpy_docstring = False
napoleon_use_ivar = True
add_module_names = False

# Nothing is loaded from elsewhere: pages and search work from a disk without a network.
suppress_warnings = [
    "ref.python",  # an annotation `type` is not one of the attributes of that name
    "misc.highlighting_failure",  # of a session whose commands go over several lines: it is shown without colours
]
html_theme = "furo"
html_title = "btcctl"
html_copy_source = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}

_INDENT = "    "
_OUTSIDE = {"helm/btcctl/README.md": "chart.md", "SECURITY.md": "reporting.md", "CHANGELOG.md": "changes.md"}


def mark_code(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """A paragraph that is indented on its own, as in Markdown, is a program."""
    made: list[str] = []
    for number, line in enumerate(lines):
        before = [each for each in lines[:number] if each.strip()]
        if (
            line.startswith(_INDENT)
            and number
            and not lines[number - 1].strip()
            and not before[-1].startswith((" ", ".. "))
        ):
            made += [".. code-block:: python", ""]
        made.append(line)
    # Napoleon takes what stands before a colon in the first line of these for a type.
    lines[:] = ["", *made] if what in {"attribute", "data", "property"} else made


def link_within(app: Sphinx, name: str, source: list[str]) -> None:
    """A page of the site stands for a file that is outside of docs/."""
    for path, page in _OUTSIDE.items():
        source[0] = source[0].replace(f"](../{path}", f"]({page}")


def warn_of_silence(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """What is public says what it is; of a field its name and type may be enough."""
    if what != "attribute" and not any(line.strip() for line in lines):
        logger.warning("%s %s has no docstring", what, name)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", link_within)
    app.connect("autodoc-process-docstring", mark_code, priority=100)  # before Napoleon reads its sections
    app.connect("autodoc-process-docstring", warn_of_silence, priority=900)
