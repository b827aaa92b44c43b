"""What kube-controller-manager and kube-scheduler do, as controllers on this toolkit."""
