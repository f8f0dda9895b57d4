# frozen_string_literal: true

require "open3"
require "sidekiq"
require "tmpdir"

RSpec.describe "Jobs of Sidekiq" do
  include Servers

  def program(name, *arguments)
    ["ruby", "-I", File.expand_path("../lib", __dir__), File.expand_path("programs/#{name}.rb", __dir__), *arguments]
  end

  # A Redis that keeps nothing.
  around do |example|
    Dir.mktmpdir do |folder|
      socket = "#{folder}/redis.sock"
      options = { "port" => 0, "unixsocket" => socket, "save" => "", "dir" => folder }
      arguments = options.flat_map { |name, value| ["--#{name}", value.to_s] }
      redis = Process.spawn("redis-server", *arguments, out: File::NULL)
      @redis = "unix://#{socket}"
      eventually("Redis") { File.exist?(socket) }
      Sidekiq.configure_client { |sidekiq| sidekiq.redis = { url: @redis } }
      example.run
    ensure
      Process.kill(:TERM, redis)
      Process.wait(redis)
    end
  end

  it "are done by several processes with several threads, forked from one that has made a call" do
    jobs = 60
    # The server must be a process of its own, because it would be forked too.
    Open3.popen2(*program("server")) do |_, output|
      address = output.gets.strip
      Open3.popen2(*program("sidekiq", address, @redis)) do |input, said, thread|
        expect(said.gets).to eq "parent TR1\n"
        jobs.times { Sidekiq::Client.push("class" => "LookUp", "args" => ["TR1"], "retry" => false) }
        eventually("the end of the jobs") { Sidekiq.redis { |redis| redis.llen("found") } == jobs }
        input.close
        expect(said.read).to eq "parent TR1\nended [0, 0]\n"
        expect(thread.value).to be_success
      end
    end
    found = Sidekiq.redis { |redis| redis.lrange("found", 0, -1) }
    expect(found.map { |line| line.split.last }.uniq).to eq ["TR1"]
  end
end
