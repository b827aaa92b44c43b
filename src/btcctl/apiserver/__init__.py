"""An embedded Kubernetes API server for tests and sandboxes; never for production.

The core (`store`, `api`) has no sockets; `http` puts it on the network.
"""
