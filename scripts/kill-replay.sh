#!/usr/bin/env bash
# Replays conversations while the server is killed with SIGKILL every few seconds and started again on its folder;
# fails unless every line was acknowledged and every copy is complete, single and in order.
#
# Settings, all optional, as environment variables:
#   KILLS     kills to survive at least                          (20)
#   PAUSE     longest time between start and kill, in seconds    (3)
#   FILE      conversations to replay; the repository's sample, repeated REPEAT times, where absent
#   REPEAT    how often the sample is repeated                   (10)
#   LIMIT     messages to replay at most                         (all)
#   SPEED     max, or a factor of recorded time; by default the sample lasts for about KILLS kills
#   SECONDS_MAX  the script gives up after so many seconds       (900)
#   SUDA_BIN  the program; by default the newer of target/{release,debug}/suda, built where there is none
set -euo pipefail
cd "$(dirname "$0")/.."

kills_wanted=${KILLS:-20}
pause=${PAUSE:-3}
repeat=${REPEAT:-10}
seconds_max=${SECONDS_MAX:-900}
sample=crates/suda/samples/sample.tsv
sample_seconds=3600

work=$(mktemp -d)
server=
replay=
clean_up() {
  for process in $server $replay; do kill -KILL "$process" 2>/dev/null || true; done
  [[ -n ${keep:-} ]] || rm -rf "$work"
}
trap clean_up EXIT

fail() {
  echo "kill-replay: $1" >&2
  tail -n 20 "$work/server.log" >&2 || true
  keep=1
  echo "kill-replay: data folder and log are kept in $work" >&2
  exit 1
}

find_program() {
  if [[ -n ${SUDA_BIN:-} ]]; then
    program=$SUDA_BIN
  elif [[ target/release/suda -nt target/debug/suda ]]; then
    program=target/release/suda
  else
    [[ -x target/debug/suda ]] || cargo build --package suda
    program=target/debug/suda
  fi
}

# The sample again and again: later rounds are later days of the same conversations.
repeated_sample() {
  head -n 1 "$sample"
  for ((round = 0; round < repeat; round++)); do
    tail -n +2 "$sample" | awk -F '\t' -v OFS='\t' -v later=$((round * sample_seconds)) '{ $2 += later; print }'
  done
}

# Starts the server and waits until it says where it listens.
start_server() {
  : >"$work/server.out"
  "$program" serve --data "$work/data" --listen "$1" >"$work/server.out" 2>>"$work/server.log" &
  server=$!
  for ((try = 0; try < 600; try++)); do
    url=$(sed -n 's/^suda listens on //p' "$work/server.out")
    [[ -n $url ]] && return
    kill -0 "$server" 2>/dev/null || fail "the server ended instead of starting"
    sleep 0.1
  done
  fail "the server did not start within a minute"
}

start_replay() {
  local arguments=("$file" --server "$url" --speed "$speed" --json)
  [[ -n ${LIMIT:-} ]] && arguments+=(--limit "$LIMIT")
  "$program" replay "${arguments[@]}" >"$work/report.json" &
  replay=$!
}

# Waits for the replay that has ended and shows what it found.
finish_replay() {
  local outcome=0
  wait "$replay" || outcome=$?
  replay=
  cat "$work/report.json"
  [[ $outcome == 0 ]] || fail "the replay failed with exit code $outcome after $kills kills"
}

find_program
file=${FILE:-}
speed=${SPEED:-max}
if [[ -z $file ]]; then
  file=$work/sample.tsv
  repeated_sample >"$file"
  speed=${SPEED:-$((sample_seconds * repeat / (kills_wanted * pause)))}
fi

start_server 127.0.0.1:0
address=${url#*://}
kills=0
start_replay
while true; do
  if ! kill -0 "$replay" 2>/dev/null; then
    finish_replay
    ((kills >= kills_wanted)) && break
    start_replay
  fi
  ((SECONDS < seconds_max)) || fail "not done within $seconds_max seconds, after $kills kills"
  # Somewhere between a half and the whole of the pause, so that every moment is hit some day.
  sleep "$(awk -v pause="$pause" -v chance=$RANDOM 'BEGIN { print pause * (0.5 + chance / 65536) }')"
  kill -0 "$replay" 2>/dev/null || continue
  kill -KILL "$server"
  wait "$server" 2>/dev/null || true
  kills=$((kills + 1))
  start_server "$address"
done

kill -TERM "$server"
wait "$server" || fail "the server did not stop cleanly"
server=
"$program" check --data "$work/data" || fail "the data folder is damaged"
echo "kill-replay: $kills kills survived" >&2
