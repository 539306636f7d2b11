#!lua flags=allow-oom
-- Writes down what a store came back without.
--
-- KEYS  none.
-- ARGV  (store, highest version before, last version or "?", time, 1 if the other store had it all) …
-- returns the places in ARGV, from 0, of those that were news
--> lost
local news = {}
for index = 1, #ARGV, 5 do
  if lost(ARGV[index], ARGV[index + 1], ARGV[index + 2], ARGV[index + 3], ARGV[index + 4]) then
    news[#news + 1] = (index - 1) / 5
  end
end
return news
