"""An API server and everything that makes its objects live, started and stopped together."""
