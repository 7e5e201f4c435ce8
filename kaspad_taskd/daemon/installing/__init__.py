"""`kaspad-taskd install-service` and `uninstall-service`: a service without Debian's package.

plan.py decides what is made, replaced, left alone; pieces.py says what belongs where; ground.py
whose word the program's own files are; hands.py does it; record.py is the list of what was made.
"""
