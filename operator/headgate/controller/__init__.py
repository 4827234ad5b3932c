"""Thin kopf handlers, the scheduler, and the loop that observes, decides, commits, delivers and announces."""
