"""Keeping a copy of part of the cluster: reflector, delta FIFO, indexer, shared informer, factory.

Knows neither the REST client (it declares what it needs of one: ListerWatcher) nor work queues."""
