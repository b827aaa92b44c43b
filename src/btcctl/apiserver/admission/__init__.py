"""What is asked before something is written: webhooks and policies. `gate` has the rules of when they are asked."""
