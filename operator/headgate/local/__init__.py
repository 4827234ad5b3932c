"""The embedded control plane and the demo, for one machine without a cluster."""
