"""`headgate status`: where Rollouts stand, what they wait for and why."""
