-- Says in one line what wrk counted, for benchmarks/load.py. With the argument "traced" every request carries a number of
-- its own in `traceparent`, as those of traced applications do; without it the loop of wrk stays as it is.
init = function(arguments)
  if arguments[1] ~= "traced" then
    return
  end
  wrk.headers["traceparent"] = "00-NUMBER-00f067aa0ba902b7-01"
  local before, after = wrk.format():match("^(.*)NUMBER(.*)$")
  local count = 0
  request = function()
    count = count + 1
    return before .. string.format("%032x", count) .. after
  end
end

done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format(
    "REPORT requests=%d duration_us=%d bytes=%d failed=%d p50_us=%d p99_us=%d\n",
    summary.requests, summary.duration, summary.bytes, failed, latency:percentile(50), latency:percentile(99)
  ))
end
