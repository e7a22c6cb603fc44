-- One page after the other, as a phone's browser asks for it. Argument: paths to be taken in turn.
local report = require("report")
local asked = 0

function init(arguments)
  paths = arguments
  wrk.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
  wrk.headers["Accept-Encoding"] = "gzip, deflate, br, zstd"
end

function request()
  asked = asked + 1
  return wrk.format("GET", paths[asked % #paths + 1])
end

function response(status)
  report.count(status)
end
