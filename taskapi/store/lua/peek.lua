#!lua flags=no-writes
-- The oldest dirty records by the time of their first mark, and the journal that is not yet carried.
--
-- KEYS  none.
-- ARGV  how many records, how many journal entries
-- returns {epoch, settled, carried, commits, dirty in all, {kind:id, version, blob, …}, {journal id, {field, value, …}} …}
local meta = redis.call('HMGET', 'meta', 'epoch', 'settled', 'carried', 'state', 'commits')
if meta[4] ~= 'ready' then return {'unverified'} end
local found, names = {}, redis.call('ZRANGE', 'dirty:since', 0, tonumber(ARGV[1]) - 1)
if #names > 0 then
  local versions, blobs = redis.call('ZMSCORE', 'dirty', unpack(names)), redis.call('MGET', unpack(names))
  for index, name in ipairs(names) do
    local blob = blobs[index] or redis.call('GET', 'trash:' .. name) or redis.call('GET', 'purged:' .. name)
    found[#found + 1] = name
    found[#found + 1] = string.format('%.0f', tonumber(versions[index] or 0))
    found[#found + 1] = blob or ''
  end
end
local from = '(' .. (meta[3] or '0') .. '-0'
if not meta[3] then from = '-' end
local entries = {}
if tonumber(ARGV[2]) > 0 then entries = redis.call('XRANGE', 'journal', from, '+', 'COUNT', ARGV[2]) end
return {meta[1], meta[2] or '0', meta[3] or '0', meta[5] or '0', redis.call('ZCARD', 'dirty'), found, entries}
