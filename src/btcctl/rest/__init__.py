"""Speaking to the API server: configuration, transport, resources, the watch stream."""
