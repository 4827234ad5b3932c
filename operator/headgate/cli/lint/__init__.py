"""`headgate lint`: what can be known of manifests without a cluster. A pure core, and a thin command around it."""
