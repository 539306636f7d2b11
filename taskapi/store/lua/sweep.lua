#!lua flags=no-writes
-- Some tasks of a parent that is leaving or coming back, by id: what read.lua hides.
--
-- KEYS  none.
-- ARGV  name (user:<id>, group:<id> or member:<user>:<group>), "live" or "trash", last id seen, how many
-- returns the records
local kind, first, second = string.match(ARGV[1], '^(%a+):(%d+):?(%d*)$')
local trash, count = ARGV[2] == 'trash', tonumber(ARGV[4])
local scopes = {}
if kind == 'group' then scopes = {'g' .. first}
elseif kind == 'member' then scopes = {'u' .. first .. ':g' .. second}
else
  for _, group in ipairs(redis.call('HKEYS', (trash and 'trash-spread:u' or 'spread:u') .. first)) do
    scopes[#scopes + 1] = 'u' .. first .. ':g' .. group
  end
end
local suffixes = trash and {'trash'} or {'0:1', '0:2', '0:3', '1:1', '1:2', '1:3'}
local ids = {}
for _, scope in ipairs(scopes) do
  for _, suffix in ipairs(suffixes) do
    local key = 'tasks:' .. scope .. ':' .. suffix
    for _, id in ipairs(redis.call('ZRANGE', key, '(' .. ARGV[3], '+inf', 'BYSCORE', 'LIMIT', 0, count)) do
      ids[#ids + 1] = tonumber(id)
    end
  end
end
table.sort(ids)
local names = {}
for index = 1, math.min(count, #ids) do
  names[index] = (trash and 'trash:task:' or 'task:') .. string.format('%.0f', ids[index])
end
if #names == 0 then return {} end
return redis.call('MGET', unpack(names))
