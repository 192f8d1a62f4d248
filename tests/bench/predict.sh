#!/usr/bin/env bash
# /predict with a short text on keep-alive connections beside a bare libmicrohttpd handler, in turns on the same cores. Prints each round,
# then the medians: requests/s as ours/peer (budget >= 0.85), p99 as ours/peer (budget <= 2), and processor time per request, which
# other programs on the machine disturb least. Quern has the threads that it takes by itself, the peer one a processor.
#
#     tests/bench/predict.sh [BUILD]     ROUNDS=5 SECONDS_EACH=4 CONNECTIONS=32 CLIENTS=1 THREADS=0 PEER_THREADS=<processors>
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-$here/../../build}" && pwd)
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-4} connections=${CONNECTIONS:-32} clients=${CLIENTS:-1}
threads=${THREADS:-0} peer_threads=${PEER_THREADS:-$(nproc)}
command -v wrk >/dev/null || { echo "skipped: no wrk"; exit 0; }

data=$(mktemp -d "${TMPDIR:-/tmp}/quern-bench.XXXXXX")
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
  rm -rf "$data"
}
trap finish EXIT

# await FILE PATTERN: the last word of the first line that matches.
await() {
  for _ in $(seq 600); do
    if line=$(grep -m1 "$2" "$1"); then echo "${line##* }"; return; fi
    sleep 0.1
  done
  echo "nothing says \"$2\"" >&2
  exit 1
}

"$build/bare_mhd" "$peer_threads" >"$data/bare.out" &
bare=$!
pids+=("$bare")
"$build/quern" serve --listen 127.0.0.1:0 --data-dir "$data/quern" --file-root "$here/../../deploy/examples" \
  --http.threads="$threads" >"$data/quern.out" 2>"$data/quern.log" &
ours=$!
pids+=("$ours")
peer=http://127.0.0.1:$(await "$data/bare.out" listening)
url=$(await "$data/quern.out" "quern ready")
curl -fsS -H 'Content-Type: application/json' -H 'Prefer: wait=60' --data-binary "@$here/../../deploy/examples/reviews.json" \
  "$url/jobs" >/dev/null
answered() { curl -fsS -H 'Content-Type: application/json' -d '{"text":"Mountain biking is awesome!"}' "$url/predict"; }
for _ in $(seq 100); do answer=$(answered 2>/dev/null) && break || sleep 0.1; done
echo "answer: $answer"

# Processor time of a process in clock ticks.
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }

# round NAME PID URL: "requests/s p50 p99 errors us-of-processor-per-request"
round() {
  local before after result
  before=$(ticks "$2")
  result=$(wrk -t"$clients" -c"$connections" -d"${seconds}s" -s "$here/predict.lua" "$3/predict" | sed -n 's/^RESULT //p')
  after=$(ticks "$2")
  echo "$1 $result $(awk -v r="$result" -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="$seconds" \
    'BEGIN { split(r, f, " "); printf "%.2f", t / hz * 1e6 / (f[1] * s) }')"
}

for _ in $(seq "$rounds"); do
  round bare "$bare" "$peer"
  round quern "$ours" "$url"
done | tee "$data/rounds"

awk '
  { n[$1]++; rate[$1, n[$1]] = $2; p99[$1, n[$1]] = $4; cpu[$1, n[$1]] = $6; errors += $5 }
  function median(a, who,   i, j, k, v, t) {
    k = n[who]
    for (i = 1; i <= k; i++) v[i] = a[who, i]
    for (i = 1; i <= k; i++) for (j = i + 1; j <= k; j++) if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
    return v[int((k + 1) / 2)]
  }
  END {
    printf "requests/s  quern %d, bare %d: %.2f of the peer\n", median(rate, "quern"), median(rate, "bare"), median(rate, "quern") / median(rate, "bare")
    printf "p99 (us)    quern %d, bare %d: %.2f times the peer\n", median(p99, "quern"), median(p99, "bare"), median(p99, "quern") / median(p99, "bare")
    printf "cpu/request quern %.2f us, bare %.2f us\n", median(cpu, "quern"), median(cpu, "bare")
    if (errors) printf "%d errors\n", errors
  }' "$data/rounds"
