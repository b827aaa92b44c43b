"""NetworkPolicies, EndpointSlices and Endpoints: what networks are told, and who reads them beside this server."""
