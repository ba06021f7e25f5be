#!/bin/sh
# Writes a data directory with a program of its day.
#
#     write.sh SKILLSCOPE FOLDER
#
# SKILLSCOPE is the binary. Two segments are sent to a running server, which is then killed, so that they are in the
# journal and in no file. A program that follows conversations is sent events, too.
set -eu
skillscope="$1" folder="$2" here="$(dirname "$0")"
"$skillscope" import segments "$here/segments.ndjson" --data-dir "$folder"
printed="$(mktemp)"
"$skillscope" serve --listen 127.0.0.1:0 --data-dir "$folder" --now 2018-01-18T09:00:00Z > "$printed" &
server=$!
until url="$(grep -m 1 -o 'http://.*' "$printed")"; do sleep 0.1; done
send() { curl -sS -H 'content-type: application/x-ndjson' --data-binary "@$here/$2" "$url/v1/accounts/acme/$1"; echo; }
send segments late.ndjson
send events events.ndjson
kill -9 $server
rm -f "$printed" "$folder/lock" "$folder/server"
