"""The verbs: each public action is one permission, one transaction, one audit line."""
