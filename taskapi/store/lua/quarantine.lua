#!lua flags=allow-oom
-- Sets records apart that PostgreSQL refuses, or marks them dirty again.
--
-- KEYS  none.
-- ARGV  "set" and then (kind:id, version, JSON account) …   only where that version is still the dirty one
--       "rearm" and then kind:id …                           those of them that are in it; all without a name
-- returns how many
local clock = redis.call('TIME')
local now = string.format('%.0f', tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
local done = 0
if ARGV[1] == 'set' then
  for index = 2, #ARGV, 3 do
    local name, mark = ARGV[index], redis.call('ZSCORE', 'dirty', ARGV[index])
    if mark and tonumber(mark) == tonumber(ARGV[index + 1]) then
      redis.call('HSET', 'quarantine', name, ARGV[index + 2])
      redis.call('ZREM', 'dirty', name)
      redis.call('ZREM', 'dirty:since', name)
      done = done + 1
    end
  end
  return done
end
local names = {}
for index = 2, #ARGV do names[#names + 1] = ARGV[index] end
if #names == 0 then names = redis.call('HKEYS', 'quarantine') end
for _, name in ipairs(names) do
  local blob = redis.call('GET', name) or redis.call('GET', 'trash:' .. name) or redis.call('GET', 'purged:' .. name)
  local account = redis.call('HGET', 'quarantine', name)
  if blob and account then
    -- What was refused may be a text that is none, and without a version at its end.
    local version = string.match(blob, '"version":(%d+)}$') or string.match(account, '"version":(%d+)') or '0'
    redis.call('ZADD', 'dirty', version, name)
    redis.call('ZADD', 'dirty:since', 'NX', now, name)
    done = done + 1
  else
    redis.call('HDEL', 'quarantine', name)
  end
end
return done
