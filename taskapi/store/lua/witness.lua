#!lua flags=allow-oom
-- A process tells what it has acknowledged in each epoch; what was left of that when a later one was opened, is known.
--
-- KEYS  none.
-- ARGV  time; then (epoch, highest version acknowledged) …
-- returns {"unverified"} | {"ok", epoch now, (highest version that was left, highest acknowledged) …}
--         the rows are losses that were not known yet, and are written down
--> lost
local meta = redis.call('HMGET', 'meta', 'state', 'epoch')
if meta[1] ~= 'ready' and meta[1] ~= 'restoring' then return {'unverified'} end
local left, found = redis.call('HGETALL', 'recovered'), {'ok', meta[2]}
for index = 2, #ARGV, 2 do
  local epoch, highest, least = tonumber(ARGV[index]), ARGV[index + 1], nil
  for each = 1, #left, 2 do
    if tonumber(left[each]) > epoch and (not least or tonumber(left[each + 1]) < tonumber(least)) then
      least = left[each + 1]
    end
  end
  if least and tonumber(highest) > tonumber(least) then
    if lost('redis', least, highest, ARGV[1], '0') then found[#found + 1], found[#found + 2] = least, highest end
  end
end
return found
