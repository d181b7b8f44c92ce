-- KEYS: log, standing. ARGV: limit, period (ms) and count of an answer, lateness (ms).
-- What Planning Center counted beyond our own log was sent by others; it is off our budget for a window at most.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, period, count, lateness = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - period - lateness)
local foreign = math.max(0, count - redis.call('ZCARD', KEYS[1]))
redis.call('HSET', KEYS[2], 'limit', limit, 'period', period, 'foreign', foreign, 'foreign_until', now + period + lateness)
redis.call('PEXPIRE', KEYS[2], 3600000)
return foreign
