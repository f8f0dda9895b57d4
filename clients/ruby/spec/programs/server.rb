# frozen_string_literal: true

# A fake server in a process of its own, which decides a return whenever a line comes in. It ends
# with its standard input.
require "echeck_returns"

server = EcheckReturns::Testing.start(port: ARGV.fetch(0, "0").to_i)
server.add_transfer(id: "TR1", ach_return: { return_code: "R01" })
$stdout.sync = true
puts server.address
server.add_return(return_code: "R02") while $stdin.gets
