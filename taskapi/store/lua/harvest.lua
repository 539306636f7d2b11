#!lua flags=no-writes
-- The next changes by the journal, and their records as they are now. Whoever asks again above the last entry until
-- there is nothing more, has at that moment all that was changed since the beginning.
--
-- KEYS  none.
-- ARGV  version above which to begin; version above which records are wanted too; how many entries; how many bytes
--       of both: there is always one entry, however large
-- returns {1 if nothing is above, epoch, version, incarnation, first journal id or "", {kind, ceiling, …},
--          {journal id, {field, value, …}} …, {kind, id, prefix, blob, or "" and "" for none, …}}
local meta = redis.call('HMGET', 'meta', 'state', 'epoch', 'version', 'incarnation')
if meta[1] ~= 'ready' and meta[1] ~= 'restoring' then return {'unverified'} end
local from, wanted, most, room = '(' .. ARGV[1] .. '-0', tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local entries, records, size, seen, slice = {}, {}, 0, {}, {}
local function harvest(kind, id)
  local name = kind .. ':' .. id
  if seen[name] then return end
  seen[name] = true
  local prefix, blob = '', redis.call('GET', name)
  if not blob then prefix, blob = 'trash:', redis.call('GET', 'trash:' .. name) end
  for _, value in ipairs({kind, id, blob and prefix or '', blob or ''}) do records[#records + 1] = value end
  size = size + (blob and #blob or 0)
end
repeat
  slice = redis.call('XRANGE', 'journal', from, '+', 'COUNT', 20)
  for _, entry in ipairs(slice) do
    if #entries >= most or size >= room then break end
    entries[#entries + 1], from = entry, '(' .. entry[1]
    for _, text in ipairs(entry[2]) do size = size + #text end
    if tonumber(string.match(entry[1], '%d+')) > wanted then
      local told = {}
      for index = 1, #entry[2], 2 do told[entry[2][index]] = entry[2][index + 1] end
      if told.kind ~= 'restore' then harvest(told.kind, told.id) end
    end
  end
until #slice == 0 or #entries >= most or size >= room
local first = redis.call('XRANGE', 'journal', '-', '+', 'COUNT', 1)[1]
return {#slice == 0 and 1 or 0, meta[2], meta[3], meta[4], first and first[1] or '',
        redis.call('HGETALL', 'ids'), entries, records}
