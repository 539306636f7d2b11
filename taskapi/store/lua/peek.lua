#!lua flags=no-writes
-- The oldest dirty records by the time of their first mark, and the journal that is not yet carried.
--
-- KEYS  none.
-- ARGV  how many records, how many journal entries, how many bytes of each: there is always one, however large
-- returns {epoch, settled, carried, commits, dirty in all, {kind:id, version, blob, …}, {journal id, {field, value, …}} …}
local meta = redis.call('HMGET', 'meta', 'epoch', 'settled', 'carried', 'state', 'commits')
if meta[4] ~= 'ready' and meta[4] ~= 'restoring' then return {'unverified'} end
local most, room = tonumber(ARGV[2]), tonumber(ARGV[3])
local found, size, names = {}, 0, redis.call('ZRANGE', 'dirty:since', 0, tonumber(ARGV[1]) - 1)
local versions = #names > 0 and redis.call('ZMSCORE', 'dirty', unpack(names)) or {}
for index, name in ipairs(names) do
  if size >= room then break end
  local blob = redis.call('GET', name) or redis.call('GET', 'trash:' .. name) or redis.call('GET', 'purged:' .. name)
  found[#found + 1] = name
  found[#found + 1] = string.format('%.0f', tonumber(versions[index] or 0))
  found[#found + 1] = blob or ''
  size = size + #found[#found]
end
local from = meta[3] and '(' .. meta[3] .. '-0' or '-'
local entries, slice = {}, nil
size = 0
repeat
  slice = redis.call('XRANGE', 'journal', from, '+', 'COUNT', math.min(20, most - #entries))
  for _, entry in ipairs(slice) do
    if size >= room then break end
    entries[#entries + 1], from = entry, '(' .. entry[1]
    for _, text in ipairs(entry[2]) do size = size + #text end
  end
until #slice < 20 or #entries >= most or size >= room
return {meta[1], meta[2] or '0', meta[3] or '0', meta[5] or '0', redis.call('ZCARD', 'dirty'), found, entries}
