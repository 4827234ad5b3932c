"""The webhook for Alertmanager: a stored fact and a poke of the scheduler, never a second path."""
