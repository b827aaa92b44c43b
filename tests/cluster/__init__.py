"""The story of a network on a cluster with the operator; BTCCTL_TEST_CLUSTER has its kubeconfig."""
