"""The commands' own synchronous way to Rollouts: a connection by kubeconfig, reads, preconditioned writes, a watch."""
