-- wrk's requests: recommendations for a user drawn from [1, users], each connection pausing 0 to 2 pause_ms between two.
local users, pause_ms, status = 1, 0, {}

function init(arguments)
  users, pause_ms = tonumber(arguments[1]), tonumber(arguments[2])
  math.randomseed(42)
end

function delay()
  return math.random(0, 2 * pause_ms)
end

function request()
  return wrk.format("GET", "/v1/users/" .. math.random(users) .. "/recommendations?k=10")
end

function done(summary, latency, requests)
  local seconds = summary.duration / 1e6
  io.write(string.format(
    '{"requests_per_s": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, "not_2xx": %d, "broken": %d}\n',
    summary.requests / seconds, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  ))
end
