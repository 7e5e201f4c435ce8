#!/bin/sh
# Boots the machine of machine.py, whose words "$@" are systemd-nspawn's; in namespaces of its own,
# which are gone, with all that is mounted and runs in them, when this ends.
# Given: ROOT, what is booted; SHARED, what it shares with the host; LAYERS, an empty directory;
# NAME, the control group's; BOOTING, seconds that a boot may take.
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 lab "$LAYERS"
units="$LAYERS/upper/etc/systemd/system"
mkdir -p "$units/multi-user.target.wants" "$LAYERS/work" "$LAYERS/root"
cp "$SHARED/lab.service" "$units"
ln -s ../lab.service "$units/multi-user.target.wants"
ln -s /dev/null "$units/dev-hugepages.mount" # the host's alone: from systemd 262 on it fails here
mount -t overlay -o "lowerdir=$ROOT,upperdir=$LAYERS/upper,workdir=$LAYERS/work" lab "$LAYERS/root"
mkdir -p /run/systemd/nspawn
mount -t tmpfs lab /run/systemd/nspawn
# Debian 13 knows only the second kind of control groups, wherever the host has them.
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
umount -R -l /sys/fs/cgroup
mount -t cgroup2 lab /sys/fs/cgroup
group="/sys/fs/cgroup$own/$NAME"
mkdir "$group"
sh -c 'echo 0 >"$0/cgroup.procs"; exec "$@"' "$group" "$@" &
machine=$!
( sleep "$BOOTING"; [ -e "$SHARED/begun" ] || kill -KILL "$machine" ) &
wait "$machine" || true
find "$group" -depth -type d -exec rmdir {} +
