#!lua flags=no-writes
-- Whether PostgreSQL has what was written.
--
-- KEYS  none.
-- ARGV  what was written: kind:id@version, or kind:id for whatever version is there …
-- returns 1, or 0 if some of it waits, or cannot be known to have been carried: this server is not the one
--         that was admitted, or another epoch has begun and it has not got that version
local meta = redis.call('HMGET', 'meta', 'run', 'epoch')
if meta[1] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then return 0 end
for _, written in ipairs(ARGV) do
  local name, version = string.match(written, '^([^@]+)@?(%d*)$')
  if redis.call('ZSCORE', 'dirty', name) or redis.call('HEXISTS', 'quarantine', name) == 1 then return 0 end
  if version ~= '' and math.floor(tonumber(version) / 4294967296) ~= tonumber(meta[2]) then
    local blob = redis.call('GET', name) or redis.call('GET', 'trash:' .. name)
    if tonumber(string.match(blob or '', '"version":(%d+)}$') or 0) < tonumber(version) then return 0 end
  end
end
return 1
