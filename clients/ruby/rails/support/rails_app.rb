# frozen_string_literal: true

require "erb"
require "net/http"

# A Rails app that `rails new` made, on one database, with two models of payments: Transaction has an
# integer enum, EftTransaction a string.
class RailsApp
  FLAGS = %w[--api --database=postgresql --skip-bundle --skip-javascript --skip-spring --skip-listen --skip-bootsnap
             --skip-git --skip-action-cable --skip-action-mailbox --skip-action-mailer --skip-action-text
             --skip-active-storage --skip-test --skip-system-test --skip-sprockets --skip-turbolinks --quiet].freeze
  FILES = File.expand_path("../app", __dir__)
  GEM = File.expand_path("../..", __dir__)

  # @return [String]
  attr_reader :folder
  # @return [Symbol] :postgres or :mariadb
  attr_reader :kind
  # @return [Integer] the port of Puma
  attr_reader :port

  # Makes the app that the others are copies of.
  def self.generate(folder)
    Shell.run("rails", "new", folder, *FLAGS, folder: File.dirname(folder))
    gemfile = ERB.new(File.read(File.join(FILES, "Gemfile.erb")))
    File.write(File.join(folder, "Gemfile"), gemfile.result_with_hash(gem: GEM))
    FileUtils.rm_f(File.join(folder, "config/database.yml"))
    application = File.join(folder, "config/application.rb")
    queue = "    config.active_job.queue_adapter = ENV.fetch(\"JOBS\", \"async\").to_sym\n"
    File.write(application, File.read(application).sub(/^    config.load_defaults.*\n/) { |line| line + queue })
    # Since Rails 7.1 a new app takes no plain HTTP in production.
    production = File.join(folder, "config/environments/production.rb")
    File.write(production, File.read(production).sub("config.force_ssl = true", "config.force_ssl = false"))
    FileUtils.cp_r(Dir[File.join(FILES, "{app,config,db}")], folder)
    Shell.run("bundle", "install", "--local", "--quiet", folder: folder)
  end

  def initialize(template, folder, kind, databases, environment)
    FileUtils.cp_r(template, folder)
    @folder = folder
    @kind = kind
    @databases = databases
    @port = Shell.free_port
    @environment = environment.merge("RAILS_ENV" => "development", "SECRET_KEY_BASE" => "0" * 64,
                                     "DATABASE_URL" => databases.rails_url(kind, "app"), "PORT" => port.to_s,
                                     "JOBS" => kind == :postgres ? "delayed_job" : "async")
  end

  def env(**more)
    @environment.update(more.transform_keys(&:to_s))
  end

  # Creates the tables as an app would have them, and then those of the generator.
  def set_up(**seeds)
    env(**seeds)
    @generated = rails("runner", File.join(FILES, "programs/set_up.rb")) # in development: it writes db/schema.rb
    FileUtils.cp(File.join(FILES, "echeck_webhook_job.rb"), File.join(folder, "app/jobs"))
  end

  # @return [String] what the generators said
  attr_reader :generated

  def rails(*command, more: {})
    Shell.run("ruby", "bin/rails", *command, env: @environment.merge(more), folder: folder)
  end

  # Runs Ruby in the app.
  # @return [Object] the JSON that it prints
  def runner(program, *arguments)
    said = rails("runner", File.join(FILES, "programs", "#{program}.rb"), *arguments)
    *before, last = said.lines.map(&:strip)
    given = JSON.parse(last, symbolize_names: true)
    # What a task of the app printed.
    before.empty? ? given : given.merge(said: before)
  end

  def start
    @puma = Shell.start("bundle", "exec", "puma", "-C", "config/puma.rb", log: log,
                         env: @environment.merge("RAILS_ENV" => "production"), folder: folder)
  end

  def ready
    Shell.eventually("Puma", log: log) { Shell.listens?(port) }
  end

  def stop
    Shell.stop(@puma) if @puma
  end

  def log
    File.join(folder, "puma.log")
  end

  # @return [Integer] how many messages came to the engine
  def posts
    logged.scan("Started POST \"/webhooks/echeck\"").size
  end

  # What the app logged in production: to a file, and since Rails 7.1 to the standard output.
  def logged
    [File.join(folder, "log/production.log"), log].select { |path| File.exist?(path) }.map { |path| File.read(path) }.join
  end

  def get(path)
    Net::HTTP.get_response(URI("http://127.0.0.1:#{port}#{path}"))
  end

  def webhook_url
    "http://127.0.0.1:#{port}/webhooks/echeck"
  end

  # Posts a message to the engine.
  def post(body, headers, type: "application/json")
    names = headers.transform_keys { |name| "webhook-#{name}" }
    Net::HTTP.post(URI(webhook_url), body, names.merge("content-type" => type))
  end
end
