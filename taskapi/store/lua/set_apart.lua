#!lua
-- Says of records that were just placed, while Redis is not open: PostgreSQL refused them, and shall be asked again.
--
-- KEYS  none.
-- ARGV  (kind:id, version, JSON account, text of the tombstone of one that was purged, or "") …
-- returns how many: none if Redis is open; -1 if it was where a restore builds, and that was overtaken
--> barred
local bar = barred()
if bar then return bar end
local clock, done = redis.call('TIME'), 0
local now = string.format('%.0f', tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
for index = 1, #ARGV, 4 do
  local name, version, account, tombstone = ARGV[index], ARGV[index + 1], ARGV[index + 2], ARGV[index + 3]
  if tombstone ~= '' then redis.call('SET', 'purged:' .. name, tombstone) end
  redis.call('HSET', 'quarantine', name, account)
  redis.call('ZADD', 'dirty', version, name)
  redis.call('ZADD', 'dirty:since', 'NX', now, name)
  done = done + 1
end
return done
