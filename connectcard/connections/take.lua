-- KEYS: log, standing. ARGV: reserve, limit and period (ms) for when nothing is known here, a name for this request.
-- Answers the milliseconds to wait; 0 when the request may go and is written into the log.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local standing = redis.call('HMGET', KEYS[2], 'limit', 'period', 'foreign', 'foreign_until', 'blocked_until')
local blocked_until = tonumber(standing[5] or 0)
if blocked_until > now then
  return blocked_until - now
end
local limit = tonumber(standing[1] or ARGV[2])
local period = tonumber(standing[2] or ARGV[3])
local foreign, foreign_until = tonumber(standing[3] or 0), tonumber(standing[4] or 0)
if foreign_until <= now then
  foreign = 0
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - period)
local sent = redis.call('ZCARD', KEYS[1])
local allowed = math.max(1, limit - tonumber(ARGV[1]))
if sent + foreign < allowed then
  redis.call('ZADD', KEYS[1], now, ARGV[4])
  redis.call('PEXPIRE', KEYS[1], period)
  return 0
end
-- The request that has to leave the window before there is room, counted from the oldest.
local wait = period
local leaving = redis.call('ZRANGE', KEYS[1], math.min(sent - 1, sent + foreign - allowed), -1, 'WITHSCORES')
if leaving[2] then
  wait = tonumber(leaving[2]) + period - now
end
if foreign > 0 then
  wait = math.min(wait, foreign_until - now)
end
return math.max(1, wait)
