# frozen_string_literal: true

require "open3"
require "rubygems/package"
require "tmpdir"

RSpec.describe "The gem" do
  it "has every file of the library, and no other" do
    folder = File.expand_path("..", __dir__)
    listed, = Open3.capture2("git", "ls-files", "app", "config", "lib", "sig", "README.md", "CHANGELOG.md", "LICENSE",
                             chdir: folder)
    Dir.mktmpdir do |scratch|
      package = "#{scratch}/echeck_returns.gem"
      said, status = Open3.capture2e("gem", "build", "--strict", "echeck_returns.gemspec", "--output", package,
                                     chdir: folder)
      expect(status).to be_success, said
      expect(Gem::Package.new(package).contents).to match_array(listed.split("\n"))
    end
  end
end
