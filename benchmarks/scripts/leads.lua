-- One form after the other, each of another person. Arguments: folder of the bodies, path, cookie or nothing.
-- A thread takes the bodies of its own file, and writes down the numbers of those that were answered with a 303.
local report = require("report")
local sent = 0

function init(arguments)
  bodies = {}
  for line in io.lines(string.format("%s/%d.bodies", arguments[1], number)) do
    table.insert(bodies, line)
  end
  answered = io.open(string.format("%s/%d.answered", arguments[1], number), "w")
  path = arguments[2]
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  wrk.headers["Cookie"] = arguments[3]
end

function request()
  sent = sent + 1
  if sent > #bodies then
    wrk.thread:stop()
    return wrk.format("GET", "/healthz")
  end
  return wrk.format("POST", path, nil, bodies[sent])
end

function response(status)
  report.count(status)
  if status == 303 then
    answered:write(sent, "\n")
    answered:flush()
  end
end
