#!lua flags=allow-oom
-- Marks a record dirty, if it is still what it was when somebody found that PostgreSQL lacks it.
--
-- KEYS  none.
-- ARGV  kind:id, version
-- returns {"marked"} | {"moved"} | {"unverified"}
local meta = redis.call('HMGET', 'meta', 'state', 'run')
if meta[1] ~= 'ready' or meta[2] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then
  return {'unverified'}
end
local name, version = ARGV[1], ARGV[2]
local blob = redis.call('GET', name) or redis.call('GET', 'trash:' .. name)
if not blob or string.match(blob, '"version":(%d+)}$') ~= version then return {'moved'} end
local clock = redis.call('TIME')
local now = string.format('%.0f', tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
redis.call('ZADD', 'dirty', version, name)
redis.call('ZADD', 'dirty:since', 'NX', now, name)
return {'marked'}
