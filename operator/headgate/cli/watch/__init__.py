"""`headgate watch`: the same as status, kept up to date from a watch stream."""
