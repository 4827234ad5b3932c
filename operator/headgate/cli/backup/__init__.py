"""`headgate backup` and `headgate restore`: everything that headgate knows, in one file with checksums."""
