-- wrk: a poll of one job's status, with the ETag of the last answer (QUERN_ETAG); RESULT as predict.lua's.
wrk.headers["If-None-Match"] = os.getenv("QUERN_ETAG")

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %.0f %d %d %d\n", summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99),
                         e.connect + e.read + e.write + e.timeout))
end
