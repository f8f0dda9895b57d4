# frozen_string_literal: true

require "digest"
require "json"

# The returns suite: the returns service, the gateway's adapter, and an adapter for each model of each
# app. The service speaks TLS and wants a token.
class Suite
  REPOSITORY = File.expand_path("../../../..", __dir__)
  PROGRAMS = ENV.fetch("ECHECK_PROGRAMS") { "#{REPOSITORY}/target/debug" }
  SCHEMA = "#{REPOSITORY}/gateway-adapter/schema/postgres.sql"
  TOKENS = { "rails" => %w[reader importer], "admin" => %w[admin operator] }.freeze

  # @return [Integer] the port of the returns service
  attr_reader :port

  def self.token(name)
    "a-token-of-the-tests-for-#{name}"
  end

  def self.check
    programs = %w[returns-service gateway-adapter rallypay-adapter echeck]
    missing = programs.reject { |name| File.exist?("#{PROGRAMS}/#{name}") }
    raise "#{missing.join(", ")} missing in #{PROGRAMS}; run `cargo build --workspace`" unless missing.empty?
  end

  def initialize(folder, databases)
    @folder = folder
    @databases = databases
    @port = Shell.free_port
    @running = []
    @mirrors = {}
    authority = Authority.new("echeck-proof")
    pair = authority.issue("returns")
    { "ca.pem" => authority.pem, "server.pem" => pair[:cert], "server.key" => pair[:key] }.each do |name, text|
      File.write(path(name), text, perm: 0o600)
    end
    File.write(path("admin.token"), Suite.token("admin"), perm: 0o600)
  end

  def path(name)
    File.join(@folder, name)
  end

  # What the apps need to reach the service.
  def environment
    { "ECHECK_RETURNS_ADDRESS" => "https://127.0.0.1:#{port}", "ECHECK_RETURNS_CA_FILE" => path("ca.pem"),
      "ECHECK_RETURNS_TOKEN" => Suite.token("rails") }
  end

  # The gateway's database, with a payment for each id: succeeded, or pending.
  def add_payments(succeeded:, pending:)
    @databases.psql("postgres", "CREATE DATABASE gateway")
    @databases.psql("postgres", "CREATE DATABASE returns")
    @databases.psql("gateway", File.read(SCHEMA))
    rows = { "SUCCEEDED" => succeeded, "PENDING" => pending }.flat_map do |state, ids|
      ids.map do |id|
        "('#{id}', 'DEBIT', '#{state}', 5000, 'FNX#{id}', '8399#{id}', 'AP', 'ID1', '2026-11-01', '2026-11-01')"
      end
    end
    @databases.psql("gateway", "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, application, " \
                               "merchant_identity, created_at, updated_at) VALUES #{rows.join(", ")}")
  end

  # An adapter with the configuration that the generator wrote, unchanged.
  def add_mirror(name, configuration, url)
    listen = Shell.free_port
    env = { "ECHECK__TARGET__URL" => url, "ECHECK__SERVER__LISTEN" => "127.0.0.1:#{listen}",
            "ECHECK__ACCESS__ANONYMOUS_ROLES" => "adapter_client" }
    @mirrors[name] = [listen, env, configuration]
    start("rallypay-adapter", configuration, env: env, log: name)
  end

  # Runs `rallypay-adapter --check --try` for a mirror.
  def check_mirror(name, transfer)
    _, env, configuration = @mirrors.fetch(name)
    Shell.run("#{PROGRAMS}/rallypay-adapter", "--config", configuration, "--check", "--try", transfer, env: env)
  end

  def start_gateway
    @gateway = Shell.free_port
    File.write(path("gateway.toml"), <<~TOML)
      [access]
      anonymous_roles = "adapter_client"
      [server]
      listen = "127.0.0.1:#{@gateway}"
      [target]
      url = "#{@databases.url(:postgres, "gateway")}"
    TOML
    start("gateway-adapter", path("gateway.toml"))
  end

  def start_service
    File.write(path("spool.key"), AgeIdentity.draw, perm: 0o600)
    File.write(path("returns.toml"), configuration)
    start("returns-service", path("returns.toml"))
    Shell.eventually("the returns service", log: path("returns-service.log")) { Shell.listens?(port) }
  end

  # Runs `echeck`, as an admin.
  def echeck(*command)
    Shell.run("#{PROGRAMS}/echeck", *command, "--server", "https://127.0.0.1:#{port}", "--ca", path("ca.pem"),
              "--token-file", path("admin.token"), "--json", env: { "HOME" => @folder })
  end

  def stop
    @running.each { |pid| Shell.stop(pid) }
  end

  private

  def start(program, configuration, env: {}, log: program)
    pid = Shell.start("#{PROGRAMS}/#{program}", "--config", configuration, env: env, log: path("#{log}.log"))
    @running << pid
  end

  def configuration
    tokens = TOKENS.map do |name, roles|
      "[access.tokens.#{name}]\nsha256 = \"#{Digest::SHA256.hexdigest(Suite.token(name))}\"\nroles = #{roles}\n"
    end
    mirrors = @mirrors.map do |name, (listen, *)|
      "[databases.#{name}]\nadapter = \"http://127.0.0.1:#{listen}\"\nrole = \"mirror\"\n"
    end
    <<~TOML
      [server]
      listen = "127.0.0.1:#{port}"
      [server.tls]
      certificate_file = "#{path("server.pem")}"
      key_file = "#{path("server.key")}"
      client_ca_file = "#{path("ca.pem")}"
      client_certificates = "optional"
      #{tokens.join}
      [database]
      url = "#{@databases.url(:postgres, "returns")}"
      [spool]
      folder = "#{path("spool")}"
      identity_file = "#{path("spool.key")}"
      [webhooks]
      allow_private_addresses = true
      allow_http = true
      [databases.gateway]
      adapter = "http://127.0.0.1:#{@gateway}"
      role = "system_of_record"
      #{mirrors.join}
      [sources.worldpay_returns]
      format = "worldpay_echeck_return"
    TOML
  end
end
