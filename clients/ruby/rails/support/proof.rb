# frozen_string_literal: true

require "fileutils"
require "tmpdir"

# Everything that runs: two servers, two apps, the suite. It is set up once.
module Proof
  SUCCEEDED = %w[TR2 TR4 TR5 TR6].freeze
  PENDING = %w[TR1 TR3].freeze

  class << self
    # @return [Hash{Symbol => RailsApp}] by the kind of database
    attr_reader :apps
    # @return [Suite]
    attr_reader :suite
    # @return [Hash{Symbol => String}] the id of each app's webhook endpoint
    attr_reader :endpoints
    # @return [Databases]
    attr_reader :databases

    def start
      Suite.check
      @folder = Dir.mktmpdir("echeck-rails")
      template = Thread.new { RailsApp.generate(File.join(@folder, "template")) }
      @databases = Databases.new(@folder)
      @suite = Suite.new(@folder, databases)
      template.join
      set_up_apps
      set_up_suite
      apps.each_value(&:start)
      apps.each_value(&:ready)
    end

    def stop
      [*apps&.values, suite, databases].compact.each(&:stop)
    ensure
      FileUtils.rm_rf(@folder) unless ENV["PROOF_KEEP"]
    end

    # A file of the acquirer.
    def file(name, codes)
      rows = codes.each_with_index.map do |(id, code), index|
        "'70#{name.sum}#{index},'8399#{id},FNX#{id},789,#{code},Insufficient Funds,11/16/2026,11/17/2026,USD,50.00"
      end
      header = "Case ID,Worldpay Payment ID,Merchant Order Number,Account Suffix,Reason Code,Reason Description," \
               "Date Issued,Date Received,Chargeback Currency,Chargeback Amt"
      File.join(@folder, "#{name}.csv").tap { |path| File.write(path, [header, *rows, ""].join("\n")) }
    end

    # Does something with each app at the same time.
    # @return [Hash{Symbol => Object}] what the block gives, by the kind of database
    def each_app
      apps.transform_values { |app| Thread.new { yield app } }.transform_values(&:value)
    end

    private

    def set_up_apps
      @apps = %i[postgres mariadb].to_h do |kind|
        [kind, RailsApp.new(File.join(@folder, "template"), File.join(@folder, kind.to_s), kind, databases,
                            suite.environment)]
      end
      create_databases
      each_app do |app|
        app.set_up(SUCCEEDED: SUCCEEDED.join(","), PENDING: PENDING.join(","),
                   BY_SCHEMA: databases.rails_url(app.kind, "by_schema"))
      end
    end

    # A database for db/schema.rb, and one with the adapter's own SQL, to compare with the app's.
    def create_databases
      { postgres: %w[postgres postgres], mariadb: [nil, "mysql"] }.each do |kind, (database, dialect)|
        %w[by_schema by_sql].each { |name| databases.sql(kind, database, "CREATE DATABASE #{name}") }
        tables = "#{Suite::REPOSITORY}/crates/adapter/src/dialect/#{dialect}/owned_tables.sql"
        databases.sql(kind, "by_sql", File.read(tables))
      end
    end

    def set_up_suite
      suite.add_payments(succeeded: SUCCEEDED, pending: PENDING)
      apps.each_value do |app|
        { "rallypay" => "", "rallypay_eft" => "_eft" }.each do |name, suffix|
          suite.add_mirror("#{app.kind}#{suffix}", File.join(app.folder, "config/#{name}-adapter.toml"),
                           databases.url(app.kind, "app"))
        end
      end
      suite.start_gateway
      suite.start_service
      @endpoints = apps.transform_values do |app|
        created = JSON.parse(suite.echeck("webhooks", "create", app.webhook_url, "--style", "rainforest",
                                          "--api-version", "2024-10-16", "--reason", "a test").lines.first)
        app.env(ECHECK_WEBHOOK_SECRETS: created.dig("key", "secret"))
        created.dig("endpoint", "endpoint_id")
      end
    end
  end
end
