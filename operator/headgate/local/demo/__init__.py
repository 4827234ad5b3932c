"""The demo: a good release reaches every customer, a bad one is taken back, on real parts, in under two minutes."""
