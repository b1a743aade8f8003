-- Sort one window of readers into those who may be sent to now and those who wait, and learn from
-- the answers to the last window. All of this is one call, so that the lanes of all hosts agree. The
-- clock is Redis' own, because the hosts' clocks may differ or jump. Times are seconds.

local PREFIX = 'digest:rate:'
local GROWTH = 1.05          -- per second without deferrals: twice the rate in 14 s
local HALVING_PAUSE = 2      -- one halving in this time, or one bad moment would count many times
local LONGEST_WAIT = 5       -- a lane that would wait longer for its turn gets no kept tokens
local FIRST_HORIZON = 60     -- how far ahead a reduced rate is trusted; later as far as its age
local KEEP_SECONDS = 3600

local relay, clock = ARGV[1], ARGV[2]
local rows, kept_before = tonumber(ARGV[3]), tonumber(ARGV[4])  -- tokens kept by the last call
local ceiling, floor, lanes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local max_rows = tonumber(ARGV[8])                              -- of a window
-- Since the last call: rows that the lane sent without a call; whether the relay defers too much.
local sent, is_deferring = tonumber(ARGV[9]), ARGV[10] == '1'
local cap, day, ledger_count = tonumber(ARGV[11]), ARGV[12], ARGV[13]
local deferring = ARGV[14]                               -- 'domain share ceiling' lines
local configured, row_lines = ARGV[15] == '1', ARGV[16]  -- a '+|-domain ceiling' line for each row

local now = tonumber(clock)
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end

-- How many messages the relay still takes today. If Redis has no count of the day, the script
-- returns -1, and the caller passes the ledger's count.
local left, count_key = math.huge, PREFIX .. 'day:' .. day .. ':' .. relay
if cap >= 0 then
  local count = tonumber(redis.call('GET', count_key))
  if not count then
    if ledger_count == '' then return {-1} end
    count = tonumber(ledger_count)
    redis.call('SET', count_key, ledger_count, 'EX', 2 * 86400)
  end
  left = math.max(0, cap - count)
end

-- A bucket is kept as JSON and holds at most `seconds` seconds' worth of tokens. It is filled at
-- its limit (0: no limit), unless deferrals have given it a reduced `rate`; `since` is the time of
-- the first reduction. In a bucket without a limit, `top` is the rate at which the reduction ends.
local function load(key, limit, seconds)
  local found = redis.call('GET', key)
  local b = found and cjson.decode(found) or {}
  local passed = found and now - b.at or 0
  if passed < 0 then  -- Redis' clock was set back
    b.horizon = b.horizon and b.horizon + passed
    passed = 0
  end
  if b.rate then
    b.rate = b.rate * GROWTH ^ math.min(passed, KEEP_SECONDS)
    if b.rate >= (limit > 0 and limit or b.top or 0) then  -- no top: the settings had a limit
      b.rate, b.top, b.since = nil, nil, nil
      if limit == 0 then b.horizon, b.tokens = nil, nil end
    end
  end
  b.limit, b.flow = limit, b.rate or limit
  b.burst = math.max(1, b.flow * seconds)
  b.tokens = math.min(b.burst, (b.tokens or math.max(1, b.flow)) + b.flow * passed)
  b.at = now
  return b
end

local function halve(b, lowest, measured)
  if b.cut and now - b.cut >= 0 and now - b.cut < HALVING_PAUSE then return end
  local before = b.flow > 0 and b.flow or measured
  if b.limit > 0 then lowest = math.min(lowest, b.limit) end
  b.rate = math.max(lowest, before / 2)
  if b.limit == 0 then b.top = math.max(b.top or 0, 2 * before, 2 * lowest) end
  b.since, b.cut, b.flow = b.since or now, now, b.rate
  b.burst = math.max(1, b.flow)
  b.tokens = math.min(b.tokens, 0)
end

local function save(key, b, keep)
  redis.call('SET', key, cjson.encode(b), 'EX', math.ceil(keep))
end

-- The rate at which the relay really got messages lately. If the relay has no limit, a deferral
-- halves this rate.
local relay_key = PREFIX .. 'relay:' .. relay
local r = load(relay_key, ceiling, 1)
r.n, r.begun = (r.n or 0) + sent, r.begun or now
if now - r.begun >= 1 or now < r.begun then
  r.speed, r.n, r.begun = r.n / math.max(1, now - r.begun), 0, now
end
local speed = math.max(r.speed or 0, r.n / math.max(0.5, now - r.begun))
if is_deferring then halve(r, floor, speed) end

-- Domains.
local cut_key = PREFIX .. 'cut'
local domains = {}

local function domain_of(name, limit)
  local d = domains[name]
  if d == nil then
    d = load(PREFIX .. 'domain:' .. name, limit, 2)
    domains[name] = d
  end
  return d
end

for name, share, limit in string.gmatch(deferring, '(%S+) (%S+) (%S+)\n') do
  halve(domain_of(name, tonumber(limit)), 1, speed * tonumber(share))
end

-- Return the seconds until the next turn in a domain. Each throttled row has its own turn, so that
-- it is claimed only once more. But a reduced rate changes with time: rows beyond its horizon
-- come back spread over the second half of the horizon, and are sorted again.
local function turn(d)
  local horizon = math.max(d.horizon or now, now) + 1 / d.flow
  if d.rate then
    local furthest = math.max(FIRST_HORIZON, now - d.since)
    if horizon - now > furthest then
      d.turn = ((d.turn or 0) + 0.6180339887) % 1
      return furthest * (0.5 + d.turn / 2)
    end
  end
  d.horizon = horizon
  return horizon - now
end

-- A row that was throttled before takes any token. A new row takes only a token that no other row
-- waits for.
local function admit(d, was_throttled)
  if d.flow == 0 then return 0 end
  local needed = 0.99
  if not was_throttled and (d.horizon or now) > now then needed = 0.75 * d.burst + 1 end
  if d.tokens >= needed then
    d.tokens = d.tokens - 1
    return 0
  end
  return turn(d)
end

-- The window.
local budget = math.min(rows, left)
if r.flow > 0 then
  budget = math.min(budget, kept_before + math.max(0, math.floor(r.tokens + 0.01)))
end
local admitted, waits, limited = 0, {}, false
if configured or next(domains) or redis.call('EXISTS', cut_key) == 1 then
  limited = true
  for mark, name, limit in string.gmatch(row_lines, '([+-])(%S+) (%S+)\n') do
    local d = domain_of(name, tonumber(limit))
    local tokens = d.tokens
    local wait = admit(d, mark == '+')
    if wait == 0 and admitted >= budget then
      wait, d.tokens = -1, tokens
    elseif wait == 0 then
      admitted = admitted + 1
    end
    waits[#waits + 1] = wait < 0 and -1 or math.ceil(wait * 1000)
  end
else
  admitted = math.min(rows, budget)
end

-- This lane's next window: the relay's tokens for its turn are kept for it.
local limit, wait, kept = max_rows, 0, 0
if r.flow > 0 then
  r.tokens = r.tokens + kept_before - admitted
  limit = math.max(1, math.min(max_rows, math.floor(r.flow / lanes)))
  wait = math.max(0, (limit - r.tokens) / r.flow)
  if wait > LONGEST_WAIT then
    limit, wait = 1, LONGEST_WAIT
  else
    kept, r.tokens = limit, r.tokens - limit
  end
end
if cap >= 0 then
  redis.call('INCRBY', count_key, admitted)
  left = left - admitted
  limit = math.max(1, math.min(limit, left))
end

r.n = r.n + admitted
save(relay_key, r, KEEP_SECONDS)
for name, d in pairs(domains) do
  local key = PREFIX .. 'domain:' .. name
  if d.flow == 0 then
    redis.call('DEL', key)
  else
    local keep = math.max(0, (d.horizon or now) - now) + KEEP_SECONDS
    save(key, d, keep)
    if d.rate then redis.call('SET', cut_key, 1, 'EX', math.ceil(keep)) end
  end
end
local is_quiet = (r.flow == 0 and not limited and cap < 0) and 1 or 0
local reply = {admitted, limit, math.ceil(wait * 1000), kept, is_quiet, left <= 0 and 1 or 0}
if limited then
  for _, wait in ipairs(waits) do reply[#reply + 1] = wait end
end
return reply
