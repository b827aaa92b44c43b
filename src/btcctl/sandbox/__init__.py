"""A whole local cluster: API server, StatefulSet controller, pods as processes."""
