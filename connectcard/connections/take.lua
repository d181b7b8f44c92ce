-- KEYS: log, standing. ARGV: reserve, limit and period (ms) for when nothing is known here, lateness (ms), a name for this request.
-- Answers the milliseconds to wait; 0 when the request may go and is written into the log.
-- Two windows hold: of the period less than the limit by the reserve; of the period and the lateness the limit itself. A window of
-- Planning Center's holds only what was sent within the second one, so it is never exceeded, and the reserve makes up for the lateness.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local standing = redis.call('HMGET', KEYS[2], 'limit', 'period', 'foreign', 'foreign_until', 'blocked_until')
local blocked_until = tonumber(standing[5] or 0)
if blocked_until > now then
  return blocked_until - now
end
local limit = tonumber(standing[1] or ARGV[2])
local period = tonumber(standing[2] or ARGV[3])
local lateness = tonumber(ARGV[4])
local foreign, foreign_until = tonumber(standing[3] or 0), tonumber(standing[4] or 0)
if foreign_until <= now then
  foreign = 0
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - period - lateness)
local kept = redis.call('ZCARD', KEYS[1])
local left = redis.call('ZCOUNT', KEYS[1], '-inf', now - period)

-- The milliseconds until a window of so many has room; `old` of the log have left it already.
local function until_room(allowed, window, old)
  local excess = kept - old + foreign - allowed
  if excess < 0 then
    return 0
  end
  local leaving = redis.call('ZRANGE', KEYS[1], math.min(kept - 1, old + excess), -1, 'WITHSCORES')
  local wait = leaving[2] and tonumber(leaving[2]) + window - now or window
  if foreign > 0 then
    wait = math.min(wait, foreign_until - now)
  end
  return math.max(1, wait)
end

local allowed = math.max(1, limit - tonumber(ARGV[1]))
local wait = math.max(until_room(allowed, period, left), until_room(math.max(1, limit), period + lateness, 0))
if wait == 0 then
  redis.call('ZADD', KEYS[1], now, ARGV[5])
  redis.call('PEXPIRE', KEYS[1], period + lateness)
end
return wait
