# frozen_string_literal: true

# Uses gRPC, forks in the middle of a stream, and goes on in both processes.
require "stringio"
require "echeck_returns"

EcheckReturns.configure { |c| c.address = ARGV.fetch(0) }
$stdout.sync = true

def say(text)
  $stdout.write("#{text}\n")
end

parent = Process.pid
child = nil
say "parent transfer #{EcheckReturns.transfer("TR1").id}"
EcheckReturns.stream_returns do |streamed|
  who = Process.pid == parent ? "parent" : "child"
  say "#{who} #{streamed.position}"
  child = fork if streamed.position == 2 && who == "parent"
  break if streamed.position == (who == "parent" ? 5 : 3)
end
if Process.pid != parent
  say "child transfer #{EcheckReturns.transfer("TR1").id}"
  begin
    EcheckReturns.transfer("TR9")
  rescue EcheckReturns::NotFound => e
    say "child #{e.reason} #{e.metadata["id"]}"
  end
  result = EcheckReturns.import_file(StringIO.new("x" * 600_000), source: "s", file_name: "r.csv")
  say "child import #{result.import.size_bytes}"
  helper = ObjectSpace.each_object(EcheckReturns::RelayTransport).first
  killed = helper.pid
  Process.kill(:KILL, killed)
  Thread.pass while File.exist?("/proc/#{killed}")
  say "child transfer #{EcheckReturns.transfer("TR1").id}"
  say "helper #{helper.pid}" if helper.pid != killed
  grandchild = fork { say "grandchild transfer #{EcheckReturns.transfer("TR1").id}" }
  Process.wait(grandchild)
  exit # and not exit!, so that Ruby frees what it inherited
end
Process.wait(child)
say "child ended with #{$?.exitstatus}"
say "parent transfer #{EcheckReturns.transfer("TR1").id}"
