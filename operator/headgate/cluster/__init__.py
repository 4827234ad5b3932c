"""Kubernetes I/O: client, typed store, compare-and-set, snapshots, leases."""
