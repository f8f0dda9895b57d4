# frozen_string_literal: true

require "open3"

RSpec.describe "A process that forks" do
  include Servers

  def program(name)
    ["ruby", "-I", File.expand_path("../lib", __dir__), File.expand_path("programs/#{name}.rb", __dir__)]
  end

  # The server must be a process of its own, because it would be forked too.
  around do |example|
    Open3.popen2(*program("server")) do |input, output|
      @server = input
      @address = output.gets.strip
      example.run
      input.close
    end
  end

  # Runs a program to its end, and yields each line that it prints. Warnings of libraries are not among them.
  def run(name)
    lines = []
    Open3.popen2(*program(name), @address) do |_, output, thread|
      while (line = output.gets)
        lines << line.strip
        yield lines.last if block_given?
      end
      expect(thread.value.exitstatus).to eq(0), lines.join("\n")
    end
    lines
  end

  it "goes on in both processes, although it forked in the middle of a stream" do
    lines = run("forks") do |line|
      @server.puts "decide" if line.match?(/\Aparent \d/) || line == "child ended with 0"
    end
    parent, others = lines.partition { |line| line.start_with?("parent") }
    expect(parent).to eq ["parent transfer TR1", *(1..5).map { |position| "parent #{position}" }, "parent transfer TR1"]
    helper = others.find { |line| line.start_with?("helper") }
    # The child has killed its helper, and got another one, which ends when the child does.
    expect(others - [helper]).to eq ["child 3", "child transfer TR1", "child NOT_FOUND TR9", "child import 600000",
                                     "child transfer TR1", "grandchild transfer TR1", "child ended with 0"]
    eventually("the end of the helper") { !File.exist?("/proc/#{helper[/\d+/]}") }
  end

  it "needs no helper in workers that a master forks before it makes a call" do
    expect(run("preload")).to eq ["workers [0, 0]"]
  end
end
