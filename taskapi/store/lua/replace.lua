#!lua
-- Puts one record into an open Redis as PostgreSQL has it, with its indexes: only if nothing has moved since
-- both were compared.
--
-- KEYS  none.
-- ARGV  kind, id, prefix before or "new", text before, prefix now ("purged:" takes it away), text, version,
--       when it went into the trash in ms, records that must be alive: count, key …,
--       claims, releases, leaves, enters, counts: as in save.lua
-- returns {"replaced"} | {"unverified"} | {"moved"} | {"above"} its version was never given | {"ids"} its id was never leased
--         {"missing", key} {"leaving", key} | {"taken", unique hash, holder}: then nothing was written
--> take
--> indexes
local kind, id, before, was, now, text, version, gone_at =
  take(), take(), take(), take(), take(), take(), take(), take()
local parents, indexes = take_all(1), take_indexes()
local name = kind .. ':' .. id
local meta = redis.call('HMGET', 'meta', 'state', 'run', 'version')
if meta[1] ~= 'ready' or meta[2] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then
  return {'unverified'}
end
local present = before == 'new' and redis.call('EXISTS', name, 'trash:' .. name) == 0
if before ~= 'new' then present = redis.call('GET', before .. name) == was end
if not present or redis.call('EXISTS', 'purged:' .. name) == 1 or redis.call('ZSCORE', 'dirty', name)
    or redis.call('HEXISTS', 'quarantine', name) == 1 then
  return {'moved'}
end
if tonumber(version) > tonumber(meta[3] or 0) then return {'above'} end
local ids = redis.call('HMGET', 'ids', kind, kind .. ':ceiling')
if ids[2] and tonumber(id) > tonumber(ids[2]) then return {'ids'} end
for _, row in ipairs(parents) do
  if redis.call('EXISTS', row[1]) == 0 then return {'missing', row[1]} end
  if redis.call('HEXISTS', 'leaving', row[1]) == 1 then return {'leaving', row[1]} end
end
for _, claim in ipairs(indexes.claims) do
  local holder = redis.call('HGET', claim[1], claim[2])
  if holder and holder ~= id then return {'taken', claim[1], holder} end
end

-- From here on nothing may fail.
if ids[2] and tonumber(id) > tonumber(ids[1] or 0) then redis.call('HSET', 'ids', kind, id) end
if before ~= 'new' and before ~= now then redis.call('DEL', before .. name) end
if now ~= 'purged:' then redis.call('SET', now .. name, text) end
move_in_indexes(id, indexes)
-- Its version is no news, so nothing that was remembered of any scope counts from now on.
redis.call('HINCRBY', 'stamps', 'every', 1)
if now == 'trash:' then redis.call('ZADD', 'trashed', gone_at, name) else redis.call('ZREM', 'trashed', name) end
return {'replaced'}
