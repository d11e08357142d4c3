-- Says in one line what wrk counted, for benchmarks/load.py. Only `done` is defined: the loop of wrk stays as it is.
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format(
    "REPORT requests=%d duration_us=%d bytes=%d failed=%d p50_us=%d p99_us=%d\n",
    summary.requests, summary.duration, summary.bytes, failed, latency:percentile(50), latency:percentile(99)
  ))
end
