-- Posts cards, each with a submission key of its own. Arguments: the form's body, in which KEY and N are replaced; then the origin.
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init(args)
  body = args[1]
  sent = 0
  salt = os.time() % 0x10000
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  wrk.headers["Origin"] = args[2]
  wrk.headers["Sec-Fetch-Site"] = "same-origin"
end

function request()
  sent = sent + 1
  local key = string.format("%08x-%04x-4000-8000-%012x", id, salt, sent)
  local mine = body:gsub("KEY", key):gsub("N", string.format("%dx%d", id, sent))
  return wrk.format(nil, nil, nil, mine)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("result %.1f %.2f %.2f %d\n", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
