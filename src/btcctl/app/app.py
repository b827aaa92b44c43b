"""What an author says of an operator, and the Manager that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from btcctl.clock import SYSTEM_CLOCK, Clock, check_seconds
from btcctl.controller.builder import ControllerBuilder, Informer
from btcctl.controller.controller import Controller
from btcctl.controller.keys.clusters import Clusters
from btcctl.controller.keys.predicates import Predicate
from btcctl.controller.leading import Service
from btcctl.controller.lives.daemons import Daemon, Daemons
from btcctl.controller.lives.timers import Timed, Timer, is_birth_or_death, timed
from btcctl.controller.manager import Manager
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.processing import Reconcile
from btcctl.controller.serving.status_server import Check
from btcctl.events.metrics import EventMetrics
from btcctl.events.recorder import EventRecorder
from btcctl.informers.clusters import ClusterInformer
from btcctl.informers.metrics import InformerMetrics
from btcctl.informers.reflector.transform import Transform
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.typed import cache_of
from btcctl.leaderelection.elector import Elector
from btcctl.metrics import Metrics
from btcctl.mistakes import check_has, check_is
from btcctl.objects import Object, ObjectKey
from btcctl.rest.client import ApiClient
from btcctl.typed.definition import texts
from btcctl.typed.kinds import AnyKind, type_of
from btcctl.webhooks.hooks import Hook, check_distinct
from btcctl.webhooks.options import WebhookOptions
from btcctl.webhooks.webhooks import Webhooks
from btcctl.workqueue.rate_limiters import RateLimiter


@dataclass(frozen=True, slots=True)
class AppOptions:
    """What the user of an operator may choose, by the flags of `btcctl.run` for example.

    Attributes:
        namespaces: Those to look after; () for all.
        workers: How many reconciles of a controller run at once, unless it has options of its own.
        resync_seconds: How often everything in the caches is looked at again, ± 10 %; 0 is never.
        transform: Done to each object before it is cached.
        webhooks: Where hooks are served, if there are any.
    """

    namespaces: tuple[str, ...] = ()
    workers: int = 2
    resync_seconds: float = 0.0
    transform: Transform | None = None
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)

    def __post_init__(self) -> None:
        ControllerOptions(workers=self.workers)  # says if they cannot be so many
        check_seconds("resync_seconds", self.resync_seconds)
        texts("AppOptions", "namespaces", self.namespaces)  # says if it is one text, whose letters would be taken


class App:
    """The parts of one operator. Each belongs to the same client, clock, metrics and election.

        def build(app: App) -> None:
            databases = app.client.resource(Database)
            ...
            app.controller(Database).owns(STATEFUL_SETS).reconciles(reconcile)

        if __name__ == "__main__":
            btcctl.run(build, name="pgdb")

    Args:
        client: Whatever reads and writes.
        name: Of the operator: it records events.
        clock: Of every part.
        options: What its user has chosen.
        metrics: Where to count; own collectors are registered with `metrics.registry`. None counts nothing.
        elector: Controllers, and services that say so, work only while it leads. None: always.
        copy_client: For what every copy of the operator writes, whether it leads or not; `client` if None.
        clusters: The clusters that are looked after, by name, if there are several; `client` is then for where the
            operator keeps what is its own, its Lease and webhooks, and may be one of these.

    Attributes:
        clusters: All that are looked after: of one cluster that one, under the name "".
        client: Of the cluster where the operator keeps what is its own: of one cluster that one.
        factory: Of the caches there.
        recorder: Of events about whatever object: each is written in the object's cluster.
        checks: What `/readyz` asks beside caches, watches and the election, by name: "" or what is wrong.
    """

    def __init__(
        self,
        client: ApiClient,
        name: str,
        *,
        clock: Clock = SYSTEM_CLOCK,
        options: AppOptions = AppOptions(),
        metrics: Metrics | None = None,
        elector: Elector | None = None,
        copy_client: ApiClient | None = None,
        clusters: Mapping[str, ApiClient] = {},
    ) -> None:
        check_has("the client", client, "resource", "an ApiClient")
        check_is("clusters", clusters, Mapping, "clients by the names of their clusters")
        self.name = name
        self.clock = clock
        self.options = options
        self.metrics = metrics
        self.checks: dict[str, Check] = {}
        self.clusters = Clusters(
            clusters or {client.cluster: client},
            home=client,
            namespace=options.namespaces or "",
            resync_seconds=options.resync_seconds,
            transform=options.transform,
            clock=clock,
        )
        self.client, self.factory = self.clusters.home.client, self.clusters.home.factory
        self.recorder = EventRecorder(
            self.client, name, clock, clusters={each.name: each.client for each in self.clusters.values()}
        )
        self._elector = elector
        self._copy_client = copy_client or client
        self._hooks: list[Hook] | None = None
        self._webhooks: Webhooks | None = None
        self._controllers: list[Controller] = []
        self._services: list[Service] = []
        self._leading: list[Service] = []
        self._manager: Manager | None = None
        if metrics is not None:
            metrics.registry.register(InformerMetrics(lambda: self.clusters.informers, clock=clock))
            metrics.registry.register(EventMetrics(self.recorder))

    def controller(
        self, type_: AnyKind, predicate: Predicate | None = None, *, informer: Informer | None = None
    ) -> AppController:
        """Begin to say what a controller reconciles; as of `Controller.for_`, ends with `reconciles`."""
        return AppController(self, type_, predicate, informer)

    def every(
        self,
        seconds: float,
        type_: AnyKind,
        function: Timed,
        *,
        jitter: float = 0.1,
        first_after: float = 0.0,
        name: str = "",
        informer: Informer | None = None,
        options: ControllerOptions | None = None,
    ) -> Controller:
        """Call a function for each object from time to time, as long as the object lives.

        Args:
            seconds: From the beginning of one call to that of the next.
            function: Told the key; may be a coroutine function. What it raises has it called again with back-off.
            jitter: By which part of that a call may come sooner or later.
            first_after: Seconds from when the object is first seen to the first call.
            name: Of the controller that does it; the plural of the objects and the function's name if "".
            informer: Of the objects, instead of the factory's of all.
            options: As of `reconciles`.

        Raises:
            ValueError: A duration cannot be one.
        """
        cache = self._caches_of(type_, informer)
        timer = Timer(seconds, cache.lister, self.clock, jitter=jitter, first_after=first_after)
        builder = self.controller(type_, is_birth_or_death, informer=cache)
        return builder.reconciles(timed(function, timer), name=name or _name_of(type_, function), options=options)

    def daemon(self, type_: AnyKind, function: Daemon, *, name: str = "", informer: Informer | None = None) -> Daemons:
        """Run a function for each object in a thread of its own, as long as the object lives.

        Args:
            function: Told the key, and the Stop that asks it to end; must return soon after that is set. One that
                raises begins again with back-off; one that returns is not started again for that object.
            name: As of `every`.
            informer: Likewise.

        Returns:
            Which of them run.
        """
        cache = self._caches_of(type_, informer)
        name = name or _name_of(type_, function)
        daemons = Daemons(name, function, cache.lister, self.clock)
        controller = self.controller(type_, is_birth_or_death, informer=cache).reconciles(daemons.reconcile, name=name)
        daemons.wake = controller.queue.add
        self.service(daemons, leading=True)
        return daemons

    def service(self, service: Service, *, leading: bool = False) -> None:
        """Run something else beside the controllers, with threads of its own.

        Args:
            leading: Only while this process leads. Otherwise always, and from before the controllers on.
        """
        self._refuse_late("a service")
        for method in ("start", "stop"):
            check_has("a service", service, method, "an object with start() and stop(timeout)")
        (self._leading if leading else self._services).append(service)

    def add(self, controller: Controller) -> None:
        """Run a controller that was built otherwise."""
        self._refuse_late("a controller")
        if not isinstance(controller, Controller):
            raise TypeError(f"{controller!r} is no controller: Controller.for_(Database)….build(…) makes one")
        self._controllers.append(controller)

    def webhooks(self, *hooks: Hook) -> None:
        """Serve what was made with `validates`, `mutates` and `converts`, and register it with the API server.

        None at all takes back what an earlier version of the operator has registered.

        Raises:
            TypeError: One was made with none of these.
            ValueError: Two of them cannot be told apart.
        """
        self._refuse_late("a webhook")
        check_distinct(hooks)
        self._hooks = [*(self._hooks or ()), *hooks]

    @property
    def served_webhooks(self) -> Webhooks | None:
        """What serves the hooks, once there is a manager; None if there are none."""
        return self._webhooks

    def manager(self) -> Manager:
        """What starts and stops it all; the same one on every call, after the first of which nothing is added.

        Raises:
            ConfigError: There are webhooks, and what these need is not installed.
            ValueError: There is nothing to run, or two controllers have one name; a conversion is missing.
        """
        if self._manager is None:
            if not (self._controllers or self._services or self._leading or self._hooks is not None):
                raise ValueError(
                    f"{self.name} has nothing to do: app.controller(Database).reconciles(reconcile), or app.service(…)"
                )
            self._serve_webhooks()
            self._manager = Manager(
                self.clusters,
                self._controllers,
                recorder=self.recorder,
                services=self._services,
                leading=self._leading,
                elector=self._elector,
                clock=self.clock,
            )
        return self._manager

    def _serve_webhooks(self) -> None:
        if self._hooks is None:
            return
        self._webhooks = made = Webhooks(
            self.name,
            self._hooks,
            client=self.client,
            copy_client=self._copy_client,
            factory=self.factory,
            clock=self.clock,
            namespaces=self.options.namespaces,
            options=self.options.webhooks,
            metrics=self.metrics,
        )
        self._services += made.services
        self._controllers += made.controllers
        self.checks["webhooks"] = made.problem

    def _caches_of(self, type_: AnyKind, informer: Informer | None) -> SharedInformer | ClusterInformer[Object]:
        """Whose objects have timers or daemons; as they are, decoded for nobody."""
        if informer is None:
            return self.clusters.informer(type_of(type_))
        return (
            ClusterInformer({each.cluster: each for each in informer})
            if isinstance(informer, ClusterInformer)
            else cache_of(informer)
        )

    def _refuse_late(self, what: str) -> None:
        if self._manager is not None:
            raise RuntimeError(f"{what} was added to {self.name} after its manager was made: add it in `build`")


class AppController(ControllerBuilder[Controller]):
    """A controller of an App. Made by `App.controller`."""

    def __init__(self, app: App, type_: AnyKind, predicate: Predicate | None, informer: Informer | None) -> None:
        super().__init__(Controller, type_, predicate, informer)
        self._app = app
        self._default_name = type_of(type_).plural

    def reconciles(
        self,
        reconcile: Reconcile,
        *,
        name: str = "",
        options: ControllerOptions | None = None,
        rate_limiter: RateLimiter[ObjectKey] | None = None,
    ) -> Controller:
        """Make the controller, and have the App run it.

        Args:
            reconcile: Brings the world closer to what the object of a key asks for.
            name: For threads, logs and metrics; the plural of what it reconciles if "".
            options: None has as many workers as the App's options say.
            rate_limiter: How long a key that failed waits.
        """
        app = self._app
        if options is not None and not isinstance(options, ControllerOptions):
            raise TypeError(f"options is of type {type(options).__name__}, must be ControllerOptions(workers=4, …)")
        controller = self.build(
            name or self._default_name,
            reconcile,
            app.clusters,
            options=options or ControllerOptions(workers=app.options.workers),
            rate_limiter=rate_limiter,
            metrics=app.metrics,
            clock=app.clock,
        )
        app.add(controller)
        return controller


def _name_of(type_: AnyKind, function: Any) -> str:
    """Of a controller: "databases-check-backups"."""
    own = getattr(function, "__name__", type(function).__name__)
    return f"{type_of(type_).plural}-{own.strip('_<>').lower().replace('_', '-')}"


#: Says what an operator is made of.
Build: TypeAlias = Callable[[App], Any]


def built(build: Build, app: App) -> Manager:
    """The manager of what `build` adds to `app`."""
    build(app)
    return app.manager()
