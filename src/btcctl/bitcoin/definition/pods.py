"""What of the nodes' pods a network may ask for: as in a pod's own spec, field for field."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from btcctl.crds.annotations import Int32
from btcctl.typed.definition import Rule

Name: TypeAlias = Annotated[str, Meta(description="A name.")]
Value: TypeAlias = Annotated[str, Meta(description="A value.")]
Capability: TypeAlias = Annotated[str, Meta(description="A name, for example NET_ADMIN, or ALL.")]
UnixId: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_ROOT_OR_NOT = Rule(
    "!has(self.runAsNonRoot) || !self.runAsNonRoot || !has(self.runAsUser) || self.runAsUser != 0",
    "runAsNonRoot and user 0 exclude each other",
)
Weight: TypeAlias = Annotated[Int32, Meta(ge=1, le=100)]


class Toleration(Struct, rename="camel"):
    """A taint that is put up with.

    Attributes:
        key: The taint's key; every key, with operator Exists, without.
        operator: Whether the value counts; Equal without.
        value: The taint's value.
        effect: The taint's effect; every effect without.
        toleration_seconds: How long a pod stays after a taint with NoExecute came; for ever without.
    """

    __rules__ = (
        Rule(
            "has(self.key) && self.key != '' || has(self.operator) && self.operator == 'Exists'",
            "a toleration without a key has operator: Exists",
        ),
        Rule(
            "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
            "operator Exists has no value; Equal has one",
        ),
        Rule(
            "!has(self.tolerationSeconds) || has(self.effect) && self.effect == 'NoExecute'",
            "tolerationSeconds are for the effect NoExecute",
        ),
    )

    key: Annotated[str, Meta(max_length=316)] | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: Annotated[str, Meta(max_length=63)] | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class NodeRequirement(Struct, rename="camel"):
    """A requirement.

    Attributes:
        key: A label, or a field.
        operator: How the value is compared.
        values: With what.
    """

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: list[Value] | None = None


class NodeSelectorTerm(Struct, rename="camel"):
    """All of these must hold.

    Attributes:
        match_expressions: Requirements.
        match_fields: Requirements.
    """

    match_expressions: list[NodeRequirement] | None = None
    match_fields: list[NodeRequirement] | None = None


class NodeSelector(Struct, rename="camel"):
    """What a node must fulfil.

    Attributes:
        node_selector_terms: One of these must hold.
    """

    node_selector_terms: list[NodeSelectorTerm]


class PreferredSchedulingTerm(Struct, rename="camel"):
    """A wish and its weight.

    Attributes:
        weight: From 1 to 100.
        preference: All of these must hold.
    """

    weight: Weight
    preference: NodeSelectorTerm


class NodeAffinity(Struct, rename="camel"):
    """By labels of Kubernetes nodes.

    Attributes:
        required_during_scheduling_ignored_during_execution: What a node must fulfil.
        preferred_during_scheduling_ignored_during_execution: What a node should fulfil.
    """

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: list[PreferredSchedulingTerm] | None = None


class LabelRequirement(Struct, rename="camel"):
    """A requirement.

    Attributes:
        key: A label.
        operator: How the value is compared.
        values: With what.
    """

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[Value] | None = None


class LabelSelector(Struct, rename="camel"):
    """Selects by labels; an empty one selects all, none at all nothing.

    Attributes:
        match_labels: Labels and their values.
        match_expressions: Requirements, all of which must hold.
    """

    match_labels: dict[str, Annotated[str, Meta(description="The label's value.")]] | None = None
    match_expressions: list[LabelRequirement] | None = None


class PodAffinityTerm(Struct, rename="camel"):
    """Which pods, and what counts as the same place.

    Attributes:
        topology_key: The label of Kubernetes nodes whose value is the place.
        label_selector: Selects by labels; an empty one selects all, none at all nothing.
        namespace_selector: Selects by labels; an empty one selects all, none at all nothing.
        namespaces: Names.
        match_label_keys: Names.
        mismatch_label_keys: Names.
    """

    topology_key: Annotated[str, Meta(min_length=1)]
    label_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    namespaces: list[Name] | None = None
    match_label_keys: list[Name] | None = None
    mismatch_label_keys: list[Name] | None = None


class WeightedPodAffinityTerm(Struct, rename="camel"):
    """A wish and its weight.

    Attributes:
        weight: From 1 to 100.
        pod_affinity_term: Which pods, and what counts as the same place.
    """

    weight: Weight
    pod_affinity_term: PodAffinityTerm


class PodAffinity(Struct, rename="camel"):
    """By pods that run there.

    Attributes:
        required_during_scheduling_ignored_during_execution: What must hold.
        preferred_during_scheduling_ignored_during_execution: What should hold.
    """

    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] | None = None
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodAffinityTerm] | None = None


class Affinity(Struct, rename="camel"):
    """Where the pods would rather run, and beside which others.

    Attributes:
        node_affinity: By labels of Kubernetes nodes.
        pod_affinity: By pods that run there.
        pod_anti_affinity: By pods that run there.
    """

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class TopologySpreadConstraint(Struct, rename="camel"):
    """Over what, and how evenly.

    Attributes:
        max_skew: By how many pods two places may differ.
        topology_key: The label of Kubernetes nodes whose value is the place.
        when_unsatisfiable: What becomes of a pod for which there is no such place.
        label_selector: Selects by labels; an empty one selects all, none at all nothing.
        min_domains: How many places there must be at least.
        node_affinity_policy: Whether nodes that do not come into question count.
        node_taints_policy: Whether nodes that do not come into question count.
        match_label_keys: Names.
    """

    max_skew: Annotated[Int32, Meta(ge=1)]
    topology_key: Annotated[str, Meta(min_length=1)]
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector | None = None
    min_domains: Annotated[Int32, Meta(ge=1)] | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None
    match_label_keys: list[Name] | None = None


class SeLinuxOptions(Struct, rename="camel"):
    """The SELinux context.

    Attributes:
        level: The level.
        role: The role.
        type: The type.
        user: The user.
    """

    level: str | None = None
    role: str | None = None
    type: str | None = None
    user: str | None = None


class Profile(Struct, rename="camel"):
    """The profile to use.

    Attributes:
        type: Which kind of profile.
        localhost_profile: The profile's path on the Kubernetes node; only for Localhost.
    """

    __rules__ = (
        Rule(
            "(self.type == 'Localhost') == has(self.localhostProfile)",
            "type Localhost has a localhostProfile, and no other type does",
        ),
    )

    type: Literal["RuntimeDefault", "Unconfined", "Localhost"]
    localhost_profile: str | None = None


class Sysctl(Struct, rename="camel"):
    """A kernel parameter.

    Attributes:
        name: Its name.
        value: Its value.
    """

    name: str
    value: str


class SecurityContext(Struct, rename="camel"):
    """As whom the pods run, in place of user and group 1000, not root, and the runtime's seccomp profile. An empty one
    leaves it to the cluster, as OpenShift wants it.

    Attributes:
        run_as_user: The number of the user.
        run_as_group: The number of the group.
        run_as_non_root: Whether the container may not run as root.
        fs_group: The group to which volumes belong.
        fs_group_change_policy: When the owner of what is in a volume is changed.
        supplemental_groups: More groups of the processes.
        supplemental_groups_policy: Whether the groups that the image gives the user count, too.
        se_linux_options: The SELinux context.
        seccomp_profile: The profile to use.
        app_armor_profile: The profile to use.
        sysctls: Kernel parameters of the pods.
    """

    __rules__ = (_ROOT_OR_NOT,)

    run_as_user: UnixId | None = None
    run_as_group: UnixId | None = None
    run_as_non_root: bool | None = None
    fs_group: UnixId | None = None
    fs_group_change_policy: Literal["OnRootMismatch", "Always"] | None = None
    supplemental_groups: list[Annotated[UnixId, Meta(description="The number of a group.")]] | None = None
    supplemental_groups_policy: Literal["Merge", "Strict"] | None = None
    se_linux_options: SeLinuxOptions | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None
    sysctls: list[Sysctl] | None = None


class Capabilities(Struct, rename="camel"):
    """Capabilities beside those of the container runtime.

    Attributes:
        add: Names of capabilities.
        drop: Names of capabilities.
    """

    add: list[Capability] | None = None
    drop: list[Capability] | None = None


class ContainerSecurityContext(Struct, rename="camel"):
    """What the nodes' containers may do, in place of no capabilities, no escalation of privileges, and a root file
    system to read only.

    Attributes:
        allow_privilege_escalation: Whether a process may get more privileges than the one that started it.
        privileged: Whether the container may do all that the machine's root may.
        read_only_root_filesystem: Whether the image's file system cannot be written to.
        capabilities: Capabilities beside those of the container runtime.
        run_as_user: The number of the user.
        run_as_group: The number of the group.
        run_as_non_root: Whether the container may not run as root.
        se_linux_options: The SELinux context.
        seccomp_profile: The profile to use.
        app_armor_profile: The profile to use.
        proc_mount: How /proc is mounted.
    """

    __rules__ = (
        _ROOT_OR_NOT,
        Rule(
            "!has(self.allowPrivilegeEscalation) || self.allowPrivilegeEscalation || "
            "!(has(self.privileged) && self.privileged)",
            "privileged and allowPrivilegeEscalation: false exclude each other",
        ),
    )

    allow_privilege_escalation: bool | None = None
    privileged: bool | None = None
    read_only_root_filesystem: bool | None = None
    capabilities: Capabilities | None = None
    run_as_user: UnixId | None = None
    run_as_group: UnixId | None = None
    run_as_non_root: bool | None = None
    se_linux_options: SeLinuxOptions | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None
    proc_mount: Literal["Default", "Unmasked"] | None = None
