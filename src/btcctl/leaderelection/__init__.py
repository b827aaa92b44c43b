"""One leader among several copies of a program, by a Lease in the API server."""
