"""Starting from another policy, matched by name."""
