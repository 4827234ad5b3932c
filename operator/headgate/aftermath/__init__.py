"""Out, after a revert: posts to the operator's webhooks, and Jobs made from a namespace's own CronJobs."""
