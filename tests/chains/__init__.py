"""What Kubernetes does in good order to a network without volumes, and what becomes of its chain."""
