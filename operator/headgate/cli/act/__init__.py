"""The commands by which people act on a Rollout: pure decisions about what to write, and one way to write it."""
