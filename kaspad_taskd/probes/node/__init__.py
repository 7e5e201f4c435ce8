"""The sync of a Kaspa node; its rules are in kaspad_taskd/kaspa/sync/."""
