"""`kaspad-taskd-relay`: writes to Redis or Valkey what a daemon tells, each event once for ever.

plan.py (where to go on) and batch.py (what is written) are pure; listen.py follows the daemon in a
thread of its own, session.py is the one that writes, main.py the program.
"""
