"""`kaspad-taskd-hub`: shows what relays have carried to Redis or Valkey. It can write nothing."""
