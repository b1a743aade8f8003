-- Admit one sign-up or say why not. This is one call, so that all web servers agree. Each limit is
-- a bucket that holds `capacity` sign-ups and loses one every `interval` seconds (GCRA: the stored
-- value is the time at which the bucket will be empty). A limit that is reached takes nothing from
-- the limits behind it: otherwise a flood of one mailbox would block sign-up for everybody.

local PREFIX = 'subscribers:signup:'

local now = tonumber(ARGV[1])
local solved = ARGV[2]                      -- id of the solved challenge, '' without one
local soft_limit = tonumber(ARGV[3])        -- beyond this, the last bucket asks for a challenge
local attack, keep = tonumber(ARGV[4]), tonumber(ARGV[5])
local overflow = tonumber(ARGV[6])          -- how many the last bucket takes beyond its capacity
local buckets = {}                          -- from ARGV[7]: name, interval, capacity of each limit

if solved ~= '' and redis.call('EXISTS', PREFIX .. 'solved:' .. solved) == 1 then
  return {'replayed', '', '0'}
end

local delay = 0
for i = 7, #ARGV, 3 do
  local bucket = {key = PREFIX .. ARGV[i], interval = tonumber(ARGV[i + 1])}
  local capacity, is_last = tonumber(ARGV[i + 2]), i + 3 > #ARGV
  bucket.empty_at = math.max(tonumber(redis.call('GET', bucket.key) or now), now)
  -- Less a thousandth, because a number divided and multiplied again is not exactly what it was.
  local held = (bucket.empty_at - now) / bucket.interval + 1 - 0.001
  if is_last and solved == '' and soft_limit >= 0 then
    if held > soft_limit then
      redis.call('SET', PREFIX .. 'attack', '1', 'EX', attack)
    end
    if redis.call('EXISTS', PREFIX .. 'attack') == 1 then
      return {'challenge', ARGV[i], '0'}
    end
  end
  if held > capacity + (is_last and overflow or 0) then
    return {'full', ARGV[i], '0'}
  end
  if is_last then
    delay = math.max(0, held - capacity) * bucket.interval
  end
  buckets[#buckets + 1] = bucket
end

for _, bucket in ipairs(buckets) do
  local empty_at = bucket.empty_at + bucket.interval
  local life = math.max(1, math.ceil((empty_at - now) * 1000))
  redis.call('SET', bucket.key, string.format('%.6f', empty_at), 'PX', life)
end
if solved ~= '' then
  redis.call('SET', PREFIX .. 'solved:' .. solved, '1', 'EX', keep)
end
return {'go', '', string.format('%.3f', delay)}
