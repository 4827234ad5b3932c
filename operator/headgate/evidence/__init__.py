"""Evidence on its way in: Prometheus sources, evaluation Jobs; every failure becomes a typed result here."""
