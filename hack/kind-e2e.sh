#!/usr/bin/env bash
# The scenes of tests/cluster, as `make e2e` plays them, on a kind cluster: for people who have Docker and kind. Builds both
# images, loads them, installs the operator by its manifests, runs doctor and the scenes, and deletes the cluster again.
#
#   hack/kind-e2e.sh            KEEP=1 leaves the cluster; BASE_IMAGE names an image with a bitcoind
set -euo pipefail
cd "$(dirname "$0")/.."

for program in docker kind kubectl; do
    command -v "$program" >/dev/null || { echo "kind-e2e: no $program" >&2; exit 2; }
done
name=btcctl-e2e-$$
work=$(mktemp -d)
finish() {
    status=$?
    if [ "$status" -ne 0 ]; then
        kubectl --kubeconfig "$work/kubeconfig" get pods,bitcoinnetworks,events -A || true
        kubectl --kubeconfig "$work/kubeconfig" -n bitcoin-controller logs deployment/bitcoin-controller --tail=50 || true
    fi
    if [ -n "${KEEP:-}" ]; then
        echo "kind-e2e: kind export kubeconfig --name $name leads to the cluster" >&2
    else
        kind delete cluster --name "$name" || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

make .venv/.ready
version=$(sed -n 's/^version = //p' setup.cfg)
docker build -t "btcctl:$version" .
docker build -t "btcctl-bitcoind:$version" ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} images/bitcoind
kind create cluster --name "$name" --kubeconfig "$work/kubeconfig" --wait 120s
kind load docker-image --name "$name" "btcctl:$version" "btcctl-bitcoind:$version"
kubectl --kubeconfig "$work/kubeconfig" apply -f manifests/
kubectl --kubeconfig "$work/kubeconfig" -n bitcoin-controller rollout status deployment/bitcoin-controller --timeout=180s
kubectl --kubeconfig "$work/kubeconfig" -n bitcoin-controller exec deployment/bitcoin-controller -- btcctl doctor
export BTCCTL_TEST_CLUSTER=$work/kubeconfig BTCCTL_TEST_KUBECTL=$(command -v kubectl)
export BTCCTL_TEST_MACHINE="docker exec -i $name-control-plane"
.venv/bin/python -m pytest -q -n 3 -m "not alone" tests/cluster
.venv/bin/python -m pytest -q -m alone tests/cluster
