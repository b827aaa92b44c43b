"""Kubeconfig files: read and checked as kubectl checks them, merged, and logged in with.

    documents   bytes → plain data: YAML as kubectl's parser understands it
    fields      plain data → typed entries, refused with the path of the field
    merged      several files → one context's cluster and user
    static      what stands in a user: tokens, passwords, certificates
    issued      what a program or an identity provider issues, and renews
    login       the credentials and TLS of one context, and the file read again after a 401

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from btcctl.rest.kubeconfig.loading import contexts_in, load

__all__ = ["contexts_in", "load"]
