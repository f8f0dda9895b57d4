# frozen_string_literal: true

require "open3"
require "socket"

# Programs that a test runs.
module Shell
  module_function

  # Runs a program to its end.
  # @return [String] what it printed
  def run(*command, env: {}, folder: Dir.pwd, seconds: 180)
    # The programs of an app must not see the environment of this test run.
    said, status = Timeout.timeout(seconds) do
      Open3.capture2e(env, *command, chdir: folder, unsetenv_others: false)
    end
    raise "#{command.join(" ")} in #{folder} ended with #{status.exitstatus}:\n#{said}" unless status.success?

    said
  end

  # Starts a program that runs on. Its output is in the log.
  # @return [Integer] its process
  def start(*command, log:, env: {}, folder: Dir.pwd)
    Process.spawn(env, *command, chdir: folder, in: File::NULL, out: [log, "a"], err: %i[child out], pgroup: true)
  end

  def stop(pid, signal = "TERM")
    Process.kill(signal, -pid)
    Timeout.timeout(10) { Process.wait(pid) }
  rescue Errno::ESRCH, Errno::ECHILD
    nil
  rescue Timeout::Error
    Process.kill("KILL", -pid)
    Process.wait(pid)
  end

  # Below 32768, so that no outgoing connection can have taken it.
  def free_port
    loop do
      port = rand(20_000...32_000)
      TCPServer.new("127.0.0.1", port).close
      return port
    rescue Errno::EADDRINUSE
      next
    end
  end

  # Waits for a condition. It asks ten times a second, because each time may start a program.
  def eventually(what, seconds: 90, log: nil)
    limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    loop do
      found = yield
      return found if found

      if Process.clock_gettime(Process::CLOCK_MONOTONIC) > limit
        raise "#{what} did not come about#{log && "; the end of #{log}:\n#{File.readlines(log).last(15).join}"}"
      end
      IO.select(nil, nil, nil, 0.1)
    end
  end

  def listens?(port)
    TCPSocket.new("127.0.0.1", port).close
    true
  rescue SystemCallError
    false
  end
end
