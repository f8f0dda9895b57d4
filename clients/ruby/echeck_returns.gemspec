# frozen_string_literal: true

require_relative "lib/echeck_returns/version"

Gem::Specification.new do |spec|
  spec.name = "echeck_returns"
  spec.version = EcheckReturns::VERSION
  spec.authors = ["echeck-returns"]
  spec.summary = "Client of echeck-returns: returned eChecks for a Rails app"
  spec.description = "Asks the returns service about payments and their returns, imports return files, follows " \
                     "the journal, and receives webhooks. With a Rails engine, generators and a fake server for tests."
  spec.homepage = "https://pay.example/echeck-returns"
  spec.license = "Apache-2.0"
  spec.required_ruby_version = ">= 3.0"
  spec.metadata = {
    "rubygems_mfa_required" => "true",
    "allowed_push_host" => "https://gems.pay.example", # a gem of the company, not of the public
    "changelog_uri" => "#{spec.homepage}/blob/main/clients/ruby/CHANGELOG.md",
    "documentation_uri" => "#{spec.homepage}/blob/main/docs/rails.md",
    "source_code_uri" => "#{spec.homepage}/tree/main/clients/ruby"
  }
  spec.files = Dir["{app,config,lib,sig}/**/*", "README.md", "CHANGELOG.md", "LICENSE", base: __dir__]
                 .select { |path| File.file?(File.join(__dir__, path)) }
  spec.add_dependency "google-protobuf", ">= 3.21", "< 5"
  spec.add_dependency "googleapis-common-protos-types", "~> 1.4"
  spec.add_dependency "grpc", "~> 1.51"
end
