#!lua flags=allow-oom
-- Looks at members of lists, counters and unique values, and puts them right: only if nothing was written since
-- it was computed what they must be.
--
-- KEYS  none.
-- ARGV  version up to which all is in what follows; 1 to put right, 0 to look only;
--       keys:    count, (key, type it must have) …
--       members: count, (key, type, member, what it must be: score, count or id, "" for absent) …
-- returns {"moved"} | {"unverified"} | {"looked", {key of another type …}, {place of a member in the list, what it is} …}
--> take
local meta = redis.call('HMGET', 'meta', 'state', 'run', 'version')
local version, write = take(), take() == '1'
if write and (meta[1] ~= 'ready' or meta[2] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')) then
  return {'unverified'}
end
if (meta[3] or '0') ~= version then return {'moved'} end
local other, told = {}, {}
for _, row in ipairs(take_all(2)) do
  local found = redis.call('TYPE', row[1]).ok
  if found ~= 'none' and found ~= row[2] then
    told[#told + 1] = row[1]
    if write then redis.call('DEL', row[1]) else other[row[1]] = true end
  end
end
local function is_right(key, type, found, wanted)
  if wanted == '' or not found then return wanted == '' and not found end
  if type == 'hash' then return found == wanted end
  return key == 'trashed' or tonumber(found) == tonumber(wanted)
end
local wrong = {}
for place, row in ipairs(take_all(4)) do
  local key, type, member, wanted = row[1], row[2], row[3], row[4]
  local command = type == 'hash' and {'HGET', 'HDEL', 'HSET'} or {'ZSCORE', 'ZREM', 'ZADD'}
  local found = not other[key] and redis.call(command[1], key, member)
  if not is_right(key, type, found, wanted) then
    wrong[#wrong + 1], wrong[#wrong + 2] = place, found or ''
    if write then
      if wanted == '' then redis.call(command[2], key, member)
      elseif type == 'hash' then redis.call(command[3], key, member, wanted)
      else redis.call(command[3], key, wanted, member) end
    end
  end
end
return {'looked', told, wrong}
