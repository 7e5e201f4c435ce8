"""The program `kaspad-taskd`: its hallway (house.py), arguments, starts, and what it does offline.

`kaspad_taskd.__main__` chooses between the daemon, its offline verbs and the demo.
"""
