"""What built-in kinds and custom ones do differently: decided by the kind, and by nobody who asks.

Two servers are in one: kube-apiserver, with Go's types and a route for each path, and apiextensions-apiserver, which
reads JSON as it comes and tells requests apart by their verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from btcctl.apiserver.gotypes import GoType, decode
from btcctl.apiserver.machinery.errors import Cause, StatusError
from btcctl.apiserver.managedfields import Target
from btcctl.apiserver.storage.collection import Body, Record

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

#: Given what the client is to be warned of.
Warn = Callable[[str], None]
#: How Go reads a body: `gotypes.decode`, or `convert` for what a patch has made.
Decode = Callable[[GoType, Any, Mapping[str, Any] | None], tuple[dict[str, Any], list[str]]]


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """One of a CRD version's `additionalPrinterColumns`."""

    name: str
    type: str
    json_path: str
    description: str = ""
    format: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a scale subresource reads and writes, as dotted paths: ".spec.replicas"."""

    replicas: str
    status_replicas: str
    selector: str = ""  #: of a string holding a label selector; "" for none


class Conversion(Protocol):
    """Shows the objects of a definition in another version: `apiextensions.conversion.webhook.Converter` is one."""

    def converted(self, body: Mapping[str, Any], api_version: str) -> dict[str, Any]:
        """The object as that version has it."""


class Kind(Protocol):
    """A kind in one version: `kinds.built_in.kind.BuiltInKind` or `apiextensions.custom_kind.CustomKind`."""

    @property
    def definition(self) -> str:
        """The name of its CustomResourceDefinition; "" for none."""

    @property
    def has_own_routes(self) -> bool:
        """Whether its server has a route for each method and path; else it tells requests apart by verbs alone."""

    @property
    def lists_media_types(self) -> bool:
        """Whether a client that accepts none of them is told what there is."""

    @property
    def shares_version_with_list(self) -> bool:
        """Whether aggregated discovery leaves out the group and version of what its subresources answer."""

    @property
    def scales_as_type(self) -> bool:
        """Whether a Scale is a Go type to its server; else replicas are what is found at a path, if anything is."""

    @property
    def decoder_finds_duplicates(self) -> bool:
        """Whether fields that come twice are found, and told of, where the decoder comes across them."""

    @property
    def patch_types(self) -> tuple[str, ...]:
        """The media types of patches it takes; strategic merge needs keys that only Go's types have."""

    @property
    def selectable_fields(self) -> Sequence[str] | None:
        """What its field selectors know beyond name and namespace; None if it has no words of its own for others."""

    @property
    def printer_columns(self) -> tuple[PrinterColumn, ...] | None:
        """Those of its definition; None if this server has columns for it."""

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The openAPIV3Schema of its version; None if it has Go types."""

    @property
    def go_type(self) -> GoType | None:
        """The type of its objects; None if it has none."""

    @property
    def scale(self) -> ScalePaths | None:
        """Where its replicas are; None if it has no scale."""

    @property
    def storage_folder(self) -> str:
        """Where etcd would have its objects, below /registry."""

    @property
    def conversion(self) -> Conversion | None:
        """Converts between versions; None changes nothing but apiVersion."""

    @property
    def is_converted(self) -> bool:
        """Whether what is stored may be otherwise than this version shows it."""

    def unsupported_patch(self) -> StatusError:
        """What is said of a patch of another type."""

    def check_sent(self, body: Mapping[str, Any], raw: bytes, field_validation: str, warn: Warn) -> None:
        """That a body is of this kind, as far as that is looked at before it is decoded.

        Args:
            raw: The bytes it comes from.
            warn: Called with what to warn of even if it is refused.

        Raises:
            StatusError: It is not.
        """

    def check_patched(self, body: Mapping[str, Any], *, is_strategic: bool) -> str:
        """Why what a patch has made is nothing of this kind; "" if it is.

        Raises:
            StatusError: It is another kind, and the kind has words of its own for that.
        """

    def typed(self, body: Any, read: Decode = decode, known: Body | None = None) -> tuple[dict[str, Any], list[str]]:
        """A body as the types of the kind have it, and what is strictly wrong with it.

        Args:
            known: The object before, if it was stored.

        Raises:
            Misfit: A field has another type than it must.
        """

    def applied(self, new: dict[str, Any]) -> dict[str, Any]:
        """What an apply has made, likewise.

        Raises:
            Misfit: A field has another type than it must.
        """

    def prune(self, body: dict[str, Any], *, keeps_nulls: bool = False) -> list[str]:
        """Remove, in place, what the schema does not know; its paths.

        Args:
            keeps_nulls: Whether what is null and may not be stays, to be complained of.
        """

    def fill(self, new: dict[str, Any], unchanged: Container[str] = ()) -> None:
        """Fill in, in place, the defaults of types or schema.

        Args:
            unchanged: The fields that are as they were in the store.
        """

    def written(self, new: dict[str, Any], unchanged: Container[str] = ()) -> dict[str, Any]:
        """An object as its types write it."""

    def canonical(self, new: dict[str, Any], unchanged: Container[str] = ()) -> dict[str, Any]:
        """A copy, as a real server stores it; it may share what nobody changes any more.

        Args:
            unchanged: The fields that are in order already.

        Raises:
            StatusError: It is larger than etcd takes.
        """

    def ordered(self, body: Body) -> dict[str, Any]:
        """The same of one whose types have had their say."""

    def validate(self, new: Body, old: Body | None, *, is_status: bool) -> tuple[list[Cause], list[str]]:
        """What its schema says of a new state: what is wrong, and warnings of rules that were broken before."""

    def target(self, subresource: str) -> Target:
        """What keeping track of fields must know of writes to an object, or to a subresource of it."""

    def go_name(self, list_kind: str = "") -> str:
        """What Go calls an object's type, or a list's."""

    def encoded_list(self, list_kind: str, records: Sequence[Record], metadata: Mapping[str, Any]) -> bytes:
        """A list as it is answered.

        Args:
            records: As this version shows them.
        """

    def bookmark(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """The object of a BOOKMARK."""

    def seen(self, record: Record) -> Record:
        """A stored object as this version shows it; made once for each version."""

    def seen_body(self, body: Body) -> Body:
        """The same of an object that is no record."""

    def stored_body(self, body: Body) -> dict[str, Any]:
        """An object of this version as it is stored."""
