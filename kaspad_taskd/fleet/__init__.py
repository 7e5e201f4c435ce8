"""The place of the programs for many hosts: the relay, which follows and writes, and the hub.

Both meet in Redis or Valkey, by the names in keys.py. The relay is made of kaspad_taskd/client/;
the hub shows what it reads in the rooms of bridge and web. Neither knows core and engine.
"""
