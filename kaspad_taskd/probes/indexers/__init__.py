"""How far the indexers of the Kaspa world are: the type, the looks, and what answers mean.

indexer_sync.py is the type of task, looks.py asks each program. The rest is pure: what each says
about itself, and what that means.
"""
