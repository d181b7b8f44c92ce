-- KEYS: log, standing. ARGV: milliseconds from now until which nobody sends; an earlier block never shortens a later one.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local blocked_until = math.max(now + tonumber(ARGV[1]), tonumber(redis.call('HGET', KEYS[2], 'blocked_until') or 0))
redis.call('HSET', KEYS[2], 'blocked_until', blocked_until)
redis.call('PEXPIRE', KEYS[2], math.max(3600000, blocked_until - now))
return blocked_until - now
