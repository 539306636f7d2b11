#!lua
-- Puts records as PostgreSQL has them, while Redis is not open: keeps whichever version is newer.
--
-- KEYS  none.
-- ARGV  changes: count, then for each
--         kind, id, prefix before or "new", version before, prefix now, the record's text, version, 1 to mark it dirty,
--         when it went into the trash in ms,
--         claims, releases, leaves, enters, counts: as in save.lua
-- returns how many were placed, or -1 if Redis is open
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local function take_all(width)
  local count, found = tonumber(take()), {}
  for _ = 1, count do
    local row = {}
    for column = 1, width do row[column] = take() end
    found[#found + 1] = row
  end
  return found
end
if redis.call('HGET', 'meta', 'state') == 'ready' then return -1 end
local clock, placed = redis.call('TIME'), 0
local since = string.format('%.0f', tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000))
for _ = 1, tonumber(take()) do
  local kind, id, before, version_before, now, blob, version, dirty, gone_at =
    take(), take(), take(), take(), take(), take(), take(), take(), take()
  local claims, releases, leaves, enters, counts =
    take_all(2), take_all(2), take_all(1), take_all(2), take_all(3)
  local name = kind .. ':' .. id
  local present = before ~= 'new' and redis.call('GET', before .. name)
  local expected
  if before == 'new' then expected = redis.call('EXISTS', name, 'trash:' .. name) == 0
  else expected = present and string.match(present, '"version":(%d+)}$') == version_before end
  if expected then
    if before ~= 'new' and before ~= now then redis.call('DEL', before .. name) end
    if now ~= 'purged:' then redis.call('SET', now .. name, blob) end
    for _, row in ipairs(releases) do
      if redis.call('HGET', row[1], row[2]) == id then redis.call('HDEL', row[1], row[2]) end
    end
    for _, row in ipairs(claims) do redis.call('HSET', row[1], row[2], id) end
    for _, row in ipairs(leaves) do redis.call('ZREM', row[1], id) end
    for _, row in ipairs(enters) do redis.call('ZADD', row[1], row[2] == '' and id or row[2], id) end
    for _, row in ipairs(counts) do
      if redis.call('HINCRBY', row[1], row[2], row[3]) == 0 then redis.call('HDEL', row[1], row[2]) end
    end
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
