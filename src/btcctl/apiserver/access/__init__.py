"""Who one is, and what one may do: RBAC, impersonation, the tokens of ServiceAccounts."""
