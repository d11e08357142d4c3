-- Says in one line what wrk counted, for benchmarks/load.py. With the argument "traced" every request carries a number of
-- its own in `traceparent`, as those of traced applications do. With "turns=N" the word TURN in path, headers and body is a number
-- under N, the next one in each request. Without either the loop of wrk stays as it is. With "post=BODY" that is sent.

-- About so many requests are made ahead, however few of them differ: N is to make no difference to wrk.
local AHEAD = 10000

-- A client sends its header lines in one order. That of wrk is another one in each process, and a server that was asked
-- before would have to get to know everything again.
local ordered = function()
  local first, rest, body = wrk.format():match("^(.-)\r\n(.-)\r\n\r\n(.*)$")
  local lines = {}
  for line in rest:gmatch("[^\r\n]+") do
    -- A number is longer than the word that stands for it.
    lines[#lines + 1] = line:gsub("^Content%-Length: %d+$", "Content-Length: " .. #body:gsub("TURN", "00000"))
  end
  table.sort(lines)
  return first .. "\r\n" .. table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

init = function(arguments)
  local traced, turns = false, nil
  for _, argument in ipairs(arguments) do
    traced = traced or argument == "traced"
    turns = turns or tonumber(argument:match("^turns=(%d+)$"))
    local body = argument:match("^post=(.*)$")
    if body then
      wrk.method, wrk.body = "POST", body
    end
  end
  if traced then
    wrk.headers["traceparent"] = "00-NUMBER-00f067aa0ba902b7-01"
  end
  if not traced and not turns then
    return
  end
  local befores, afters, whole = {}, {}, ordered()
  -- Whole turns, so that the first follows the last.
  for number = 1, turns and math.ceil(AHEAD / turns) * turns or 1 do
    local text = turns and whole:gsub("TURN", string.format("%05d", (number - 1) % turns)) or whole
    local before, after = text:match("^(.*)NUMBER(.*)$")
    befores[number], afters[number] = before or text, after
  end
  local ahead, count = #befores, 0
  request = function()
    count = count + 1
    local number = (count - 1) % ahead + 1
    if traced then
      return befores[number] .. string.format("%032x", count) .. afters[number]
    end
    return befores[number]
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
