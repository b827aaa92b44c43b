"""All the parts that an operator with hooks has beside its controllers."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from btcctl.clock import Clock
from btcctl.controller.controller import Controller
from btcctl.controller.leading import Service
from btcctl.controller.options import ControllerOptions
from btcctl.errors import ConfigError
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.shared_informer import SharedInformer
from btcctl.metrics import Metrics
from btcctl.objects import Object, ObjectKey
from btcctl.rbac.rights import Right
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, SECRETS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.webhooks.answers.reviews import Reviews
from btcctl.webhooks.hooks import AdmissionHook, Hook, check_distinct
from btcctl.webhooks.metrics import WebhookMetrics
from btcctl.webhooks.options import WebhookOptions
from btcctl.webhooks.registration import Registrar, Said, kinds_written

if TYPE_CHECKING:  # an operator without hooks has neither cryptography nor h11
    from btcctl.certificates.identity import Identity

CERTIFICATES, REGISTRATION = "webhook-certificates", "webhook-registration"
#: The controllers that are no author's.
OWN_CONTROLLERS = (CERTIFICATES, REGISTRATION)
_NEEDED = ("cryptography", "h11")


class Webhooks:
    """Hooks, served and registered.

    Args:
        name: Of the operator: its configurations have it.
        hooks: All of them; none takes back what was registered in that name before.
        client: Registers, while this process leads.
        copy_client: Writes the Secret, in every copy of the operator.
        factory: Of every cache.
        namespaces: Those that the operator looks after; () for all.
        options: Where to serve, and what the API server is told of that.
        metrics: Where to count; None counts nothing.

    Attributes:
        reviews: Answers, without a network: for tests.
        admission: The hooks that are asked about requests.
        address: Where an API server is told that they are.
        identity: The certificate that is shown.
        controllers: To be run: of the certificates in every copy, of the registration in the one that leads.
        services: To be run in every copy.
        later: The rights that are used only long after a start: in 60 days the Secret is written again.

    Raises:
        ConfigError: What this needs is not installed.
        ValueError: Two hooks have one name; a conversion is missing.
    """

    def __init__(  # noqa: PLR0913  an App's parts
        self,
        name: str,
        hooks: Iterable[Hook],
        *,
        client: ApiClient,
        copy_client: ApiClient,
        factory: SharedInformerFactory,
        clock: Clock,
        namespaces: tuple[str, ...] = (),
        options: WebhookOptions = WebhookOptions(),
        metrics: Metrics | None = None,
    ) -> None:
        _require_packages()
        # Late: only who serves hooks has what they import.
        from btcctl.certificates.identity import Identity  # noqa: PLC0415
        from btcctl.certificates.keepers import FileKeeper  # noqa: PLC0415
        from btcctl.webhooks.serving import WebhookServer  # noqa: PLC0415

        given = tuple(hooks)
        check_distinct(given)
        self.admission = [each for each in given if isinstance(each, AdmissionHook)]
        self.address = options.address(name)
        self.reviews = Reviews(given, clock)
        self.identity: Identity = Identity("webhooks", clock)
        said = Said(name, options, namespaces, given, tuple(self.reviews.conversions.kinds))
        counts = None if metrics is None else metrics.part(WebhookMetrics)
        if counts is not None:
            counts.expiry = lambda: self.identity.expiry
        self.server = WebhookServer(options.bind, self.reviews, self.identity, counts)
        self._metrics = metrics
        self._clock = clock
        self._factory = factory
        self.services: list[Service] = [self.server]
        self.controllers = [self._registration(said, client)]
        self.later = [] if options.certificates else [Right(SECRETS.group, SECRETS.plural, "update")]
        self.identity.on_change = self._registers_again
        if options.certificates:
            self.services.insert(0, FileKeeper(options.certificates, self.identity, clock))
        else:
            self.controllers.append(self._certificates(said, copy_client))

    def problem(self) -> str:
        """Why hooks are not answered; "" if they are: a check of `/readyz`."""
        return self.server.problem()

    def _registers_again(self) -> None:
        self.controllers[0].queue.add(_KEY)

    def _certificates(self, said: Said, client: ApiClient) -> Controller:
        from btcctl.webhooks.secret_keeper import SecretKeeper  # noqa: PLC0415

        key = ObjectKey(said.options.namespace, said.options.secret_of(said.name))
        informer = self._informer(SECRETS, key)
        secrets = client.resource(SECRETS, key.namespace)
        hosts = said.options.hosts(said.name)
        keeper = SecretKeeper(key, secrets, informer.lister, self.identity, hosts, self._clock)
        options = ControllerOptions(workers=1, leading=False)
        controller = Controller(
            CERTIFICATES, keeper.reconcile, clock=self._clock, metrics=self._metrics, options=options
        )
        controller.watch(informer, _one_key, type_=SECRETS)
        controller.queue.add(_KEY)  # nothing tells of a Secret that is not there
        return controller

    def _registration(self, said: Said, client: ApiClient) -> Controller:
        informers = {type_: self._informer_of_all(type_, said) for type_ in kinds_written(said)}
        listers = {type_: each.lister for type_, each in informers.items()}
        registrar = Registrar(said, client, listers, self.identity)
        controller = Controller(
            REGISTRATION,
            registrar.reconcile,
            clock=self._clock,
            metrics=self._metrics,
            options=ControllerOptions(workers=1),
        )
        for type_, informer in informers.items():
            controller.watch(informer, _one_key, type_=type_)
        controller.queue.add(_KEY)
        return controller

    def _informer_of_all(self, type_: ResourceType, said: Said) -> SharedInformer:
        """Of the one object that concerns us; definitions may be several."""
        names = said.definitions if type_ == CUSTOM_RESOURCE_DEFINITIONS else (said.name,)
        return self._informer(type_, ObjectKey("", names[0]) if len(names) == 1 else None)

    def _informer(self, type_: ResourceType, key: ObjectKey | None) -> SharedInformer:
        selector = "" if key is None else f"metadata.name={key.name}"
        namespace = None if key is None else key.namespace
        name = f"webhook-{type_.plural}"
        return self._factory.informer(
            type_, namespace=namespace, field_selector=selector, transform=_as_it_is, name=name
        )


_KEY = ObjectKey("", "webhooks")


def _one_key(_obj: Object) -> Sequence[ObjectKey]:
    return [_KEY]


def _as_it_is(obj: Object) -> Object:
    """With the managedFields, whatever else the operator's caches leave out: they say what we have applied."""
    return obj


def _require_packages() -> None:
    missing = [each for each in _NEEDED if importlib.util.find_spec(each) is None]
    if missing:
        raise ConfigError(f"webhooks need {' and '.join(missing)}: pip install 'btcctl[webhooks]'")
