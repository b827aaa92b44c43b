"""The operator on a real node: kubelet, containerd, CNI, scheduler, kube-proxy, DNS; our own images: `make e2e`."""
