"""`headgate git-revert`: what to change in a repository so that it says the last good version again. Writes nothing."""
