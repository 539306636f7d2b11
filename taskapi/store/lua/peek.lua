#!lua flags=no-writes
-- The journal that is not yet carried, with the dirty records that it tells of, and what else is dirty.
--
-- No line comes without its record, and no record before the first of its lines: what was carried is everything up
-- to the last line, and ahead of it only what is changed so fast that there is never time for all of its lines.
--
-- KEYS  none.
-- ARGV  how many records, how many journal entries, how many bytes of each: there is always one, however large
-- returns {epoch, settled, carried, commits, dirty in all, {kind:id, version, blob, …}, {journal id, {field, value, …}} …}
local meta = redis.call('HMGET', 'meta', 'epoch', 'settled', 'carried', 'state', 'commits')
if meta[4] ~= 'ready' and meta[4] ~= 'restoring' then return {'unverified'} end
local records, lines, room = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local found, size, taken, count = {}, 0, {}, 0
local function take(name, version)
  local blob = redis.call('GET', name) or redis.call('GET', 'trash:' .. name) or redis.call('GET', 'purged:' .. name)
  found[#found + 1] = name
  found[#found + 1] = string.format('%.0f', tonumber(version or 0))
  found[#found + 1] = blob or ''
  taken[name], count, size = true, count + 1, size + #found[#found]
end

local entries, told, last, is_whole = {}, 0, meta[3] or '0', false
-- Some room is left for what is dirty without a line, where there is any.
local first = redis.call('XRANGE', 'journal', '(' .. last .. '-0', '+', 'COUNT', 1)[1]
local lineless = first and redis.call('ZCOUNT', 'dirty', '-inf', '(' .. string.match(first[1], '^%d+')) > 0
local share = lineless and math.max(1, records - math.floor(records / 4)) or records
local function add(entry, name, mark)
  if told >= room or (mark and not taken[name] and (count >= share or size >= room)) then return false end
  if mark and not taken[name] then take(name, mark) end
  for _, text in ipairs(entry[2]) do told = told + #text end
  entries[#entries + 1], last = entry, string.match(entry[1], '^%d+')
  return true
end
local function add_all(slice)
  local names = {}
  for index, entry in ipairs(slice) do names[index] = entry[2][2] .. ':' .. entry[2][4] end
  local marks = #names > 0 and redis.call('ZMSCORE', 'dirty', unpack(names)) or {}
  for index, entry in ipairs(slice) do
    if not add(entry, names[index], marks[index]) then return false end
  end
  return true
end
while #entries < lines do
  local wanted = math.min(20, lines - #entries)
  local slice = redis.call('XRANGE', 'journal', '(' .. last .. '-0', '+', 'COUNT', wanted)
  if not add_all(slice) then break end
  is_whole = #slice < wanted
  if is_whole then break end
end

local rest
if is_whole then rest = redis.call('ZRANGE', 'dirty:since', 0, records - 1)
else rest = redis.call('ZRANGE', 'dirty', '-inf', last, 'BYSCORE', 'LIMIT', 0, records) end
local versions = #rest > 0 and redis.call('ZMSCORE', 'dirty', unpack(rest)) or {}
for index, name in ipairs(rest) do
  if count >= records or size >= room then break end
  if not taken[name] then take(name, versions[index]) end
end
return {meta[1], meta[2] or '0', meta[3] or '0', meta[5] or '0', redis.call('ZCARD', 'dirty'), found, entries}
