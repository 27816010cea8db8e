#!/bin/bash
# Starts Ceph's S3 gateway for tests: in memory, on loopback, without authentication between its parts.
# usage: radosgw.sh FOLDER S3PORT BASEPORT    (ports BASEPORT to BASEPORT+19 are used; FOLDER/{mon,osd,rgw}.pid say what to end)
# Needs the Debian packages ceph-mon, ceph-osd, radosgw and ceph-common.
set -euo pipefail
dir=$1 port=$2 base=$3
osd=22222222-2222-3333-4444-555555555555 cluster=11111111-2222-3333-4444-555555555555
mkdir -p "$dir"/{mon,osd,run,log,rgw}
monitor="[v2:127.0.0.1:$base,v1:127.0.0.1:$((base + 1))]"

cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $cluster
mon host = $monitor
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 500
mon data avail crit = 1
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
ms bind port min = $((base + 2))
ms bind port max = $((base + 19))
run dir = $dir/run
log file = $dir/log/\$name.log
admin socket = $dir/run/\$name.asok
pid file = $dir/run/\$name.pid
[mon.a]
mon data = $dir/mon
mon initial members = a
[osd.0]
osd data = $dir/osd
[client.rgw]
ms mon client mode = crc
ms client mode = crc
auth client required = none
keyring = $dir/rgw.keyring
rgw data = $dir/rgw
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw thread pool size = 32
rgw run sync thread = false
rgw dynamic resharding = false
CONF

conf=(-c "$dir/ceph.conf")
monmaptool --create --clobber --fsid "$cluster" --addv a "$monitor" "$dir/monmap" >/dev/null
ceph-mon "${conf[@]}" -i a --mkfs --monmap "$dir/monmap"
setsid nohup ceph-mon "${conf[@]}" -i a -f >"$dir/log/mon.out" 2>&1 & echo $! >"$dir/mon.pid"
timeout 60 ceph "${conf[@]}" osd new "$osd" >/dev/null
ceph-osd "${conf[@]}" -i 0 --mkfs --osd-uuid "$osd" >/dev/null 2>&1
setsid nohup ceph-osd "${conf[@]}" -i 0 -f >"$dir/log/osd.out" 2>&1 & echo $! >"$dir/osd.pid"
timeout 60 ceph "${conf[@]}" auth get-or-create client.rgw mon 'allow *' osd 'allow *' >"$dir/rgw.keyring"
setsid nohup radosgw "${conf[@]}" -n client.rgw -f >"$dir/log/rgw.out" 2>&1 & echo $! >"$dir/rgw.pid"
for _ in $(seq 1 240); do curl -s -o /dev/null "http://127.0.0.1:$port/" && break; sleep 0.25; done
timeout 60 radosgw-admin "${conf[@]}" -n client.rgw user create --uid=test --display-name=test --access-key=AKIATEST --secret-key=secret-of-the-test >/dev/null 2>&1
