"""The split on its way out: one file a router, all behind one small Protocol."""
