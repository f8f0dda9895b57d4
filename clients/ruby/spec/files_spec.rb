# frozen_string_literal: true

require "open3"
require "set"
require "tmpdir"

RSpec.describe "The gem's files" do
  gem_folder = File.expand_path("..", __dir__)

  it "have the stubs that bin/generate makes of the protos" do
    Dir.mktmpdir do |folder|
      said, status = Open3.capture2e(File.join(gem_folder, "bin/generate"), folder)
      expect(status).to be_success, said
      files = lambda do |root|
        Dir.glob("echeck/**/*.rb", base: root).sort.map { |path| [path, File.read(File.join(root, path)).hash] }
      end
      outdated = files.call(File.join(gem_folder, "lib")).to_set ^ files.call(folder)
      expect(outdated).to be_empty, "run bin/generate: #{outdated.map(&:first).uniq.join(", ")}"
    end
  end

  it "are all packed, with everything else that it needs" do
    spec = Dir.chdir(gem_folder) { Gem::Specification.load("echeck_returns.gemspec") }
    expect(spec.files).to include("lib/echeck_returns.rb", "lib/echeck_returns/relay.rb", "sig/echeck_returns.rbs",
                                  "lib/echeck/returns/v1/returns_service_services_pb.rb", "config/routes.rb",
                                  "app/models/echeck_returns/webhook_event.rb", "README.md", "CHANGELOG.md",
                                  "lib/generators/echeck_returns/install/templates/migration.rb.tt")
    expect(spec.files.grep(/spec|\.toml\z/)).to be_empty
  end

  it "make a gem that can be installed and loaded" do
    Dir.mktmpdir do |folder|
      file = File.join(folder, "echeck_returns.gem")
      said, built = Open3.capture2e("gem", "build", "--strict", "--output", file, "echeck_returns.gemspec", chdir: gem_folder)
      expect(built).to be_success, said
      install = ["gem", "install", "--local", "--force", "--no-document", "--install-dir", folder, file]
      said, installed = Open3.capture2e(*install)
      expect(installed).to be_success, said
      lib = Dir["#{folder}/gems/*/lib"].first
      program = "require 'echeck_returns/testing'; puts EcheckReturns::Testing.start(&:address)"
      said, ran = Open3.capture2e("ruby", "-I", lib, "-e", program, chdir: folder)
      expect(said).to start_with("http://127.0.0.1:")
      expect(ran).to be_success
    end
  end
end
