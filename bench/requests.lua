-- wrk: the addresses of a list in turn; each thread begins elsewhere. The last line tells what the caller reads.
local list = {}
for line in io.lines(os.getenv("BENCH_LIST")) do list[#list + 1] = line end
local threads = 0
function setup(thread)
  thread:set("first", threads * math.floor(#list / 2))
  threads = threads + 1
end
function init()
  at = first
  local key = os.getenv("BENCH_KEY")
  if key and key ~= "" then wrk.headers["Authorization"] = "Bearer " .. key end
  wrk.headers["Accept-Encoding"] = os.getenv("BENCH_ENCODING") or "gzip"
end
function request()
  at = at + 1
  return wrk.format("GET", list[(at - 1) % #list + 1])
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %f %f %d\n", summary.requests, summary.duration,
    e.status + e.timeout + e.connect + e.read + e.write, latency:percentile(50), latency:percentile(99), summary.bytes))
end
