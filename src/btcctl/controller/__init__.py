"""Joining informers, queues and a reconcile function into a controller."""
