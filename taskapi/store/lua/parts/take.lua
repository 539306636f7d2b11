-- Reads ARGV in order: one value, or a count and then that many rows of `width` values.
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local function take_all(width)
  local count, found = tonumber(take()), {}
  for _ = 1, count do
    local row = {}
    for column = 1, width do row[column] = take() end
    found[#found + 1] = row
  end
  return found
end
