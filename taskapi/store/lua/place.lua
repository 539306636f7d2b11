#!lua
-- Puts records as PostgreSQL has them, while Redis is not open: keeps whichever version is newer.
--
-- KEYS  none.
-- ARGV  changes: count, then for each
--         kind, id, prefix before or "new", version before, prefix now, the record's text, version, 1 to mark it dirty,
--         when it went into the trash in ms,
--         claims, releases, leaves, enters, counts: as in save.lua
-- returns how many were placed: none if Redis is open; -1 if it was where a restore builds, and that was overtaken
--> take
--> indexes
--> barred
local bar = barred()
if bar then return bar end
local clock, placed = redis.call('TIME'), 0
local since = string.format('%.0f', tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
for _ = 1, tonumber(take()) do
  local kind, id, before, version_before, now, blob, version, dirty, gone_at =
    take(), take(), take(), take(), take(), take(), take(), take(), take()
  local indexes = take_indexes()
  local name = kind .. ':' .. id
  local present = before ~= 'new' and redis.call('GET', before .. name)
  local expected
  if before == 'new' then expected = redis.call('EXISTS', name, 'trash:' .. name) == 0
  else expected = present and string.match(present, '"version":(%d+)}$') == version_before end
  if expected then
    if before ~= 'new' and before ~= now then redis.call('DEL', before .. name) end
    if now ~= 'purged:' then redis.call('SET', now .. name, blob) end
    move_in_indexes(id, indexes)
    if now == 'trash:' then redis.call('ZADD', 'trashed', gone_at, name) else redis.call('ZREM', 'trashed', name) end
    if dirty == '1' then
      redis.call('ZADD', 'dirty', version, name)
      redis.call('ZADD', 'dirty:since', 'NX', since, name)
    else
      redis.call('ZREM', 'dirty', name)
      redis.call('ZREM', 'dirty:since', name)
    end
    placed = placed + 1
  end
end
return placed
