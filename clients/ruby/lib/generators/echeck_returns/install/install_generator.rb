# frozen_string_literal: true

require "rails/generators"
require "rails/generators/active_record"
require "generators/echeck_returns/install/status_words"

module EcheckReturns
  module Generators
    # rails g echeck_returns:install [MODEL]
    class InstallGenerator < ::Rails::Generators::Base
      include ::Rails::Generators::Migration

      source_root File.expand_path("templates", __dir__)
      desc "Creates the initializer, the migration that rallypay-adapter needs, its configuration, and the job of " \
           "webhook events, for the model of your payments."

      argument :model, type: :string, default: "Transaction", banner: "MODEL"
      class_option :status_column, type: :string, default: "status", desc: "The column of the status"
      class_option :status_kind, type: :string, enum: %w[integer string],
                                 desc: "How the app stores it. Default: as the table does"
      class_option :transfer_id_column, type: :string, default: "transfer_id", desc: "The column of the gateway's id"
      class_option :failed, type: :string, default: "failed", desc: "The status of a payment that failed"
      class_option :returned, type: :string, default: "returned", desc: "… that came back before it was funded"
      class_option :reversed, type: :string, default: "reversed", desc: "… that came back after it was funded"
      class_option :restored, type: :string, default: "restored", desc: "… whose return was dishonored"
      class_option :open, type: :array, default: %w[pending succeeded], desc: "The statuses that a return may change"
      class_option :adapter_name, type: :string, default: "rallypay", desc: "The name of the adapter in this database"

      def self.next_migration_number(folder)
        ::ActiveRecord::Generators::Base.next_migration_number(folder)
      end

      def check_model
        @words = StatusWords.new(model_class, options)
      rescue StatusWords::Missing => e
        raise Thor::Error, e.message
      end

      def create_initializer
        template_once "initializer.rb.tt", "config/initializers/echeck_returns.rb"
      end

      def create_job
        template_once "webhook_job.rb.tt", "app/jobs/echeck_webhook_job.rb"
      end

      def create_adapter_configuration
        template "rallypay-adapter.toml.tt", "config/#{options[:adapter_name]}-adapter.toml"
      end

      def create_migration_file
        migration_template "migration.rb.tt", "db/migrate/add_echeck_returns_to_#{table}.rb"
      end

      def mount_engine
        line = 'mount EcheckReturns::Engine => "/webhooks/echeck"'
        routes = File.join(destination_root, "config/routes.rb")
        route line unless File.exist?(routes) && File.read(routes).include?("EcheckReturns::Engine")
      end

      def include_concern
        path = "app/models/#{model_class.name.underscore}.rb"
        return unless File.exist?(File.join(destination_root, path))
        return if File.read(File.join(destination_root, path)).include?("EcheckReturns::Returnable")

        lines = ["include EcheckReturns::Returnable", *returnable_line]
        # At the end of the class, below its enum.
        body = /^( *)class #{model_class.name.demodulize}\b.*?\n(?=\1end$)/m
        inject_into_file path, after: body do
          indent = File.read(File.join(destination_root, path))[body, 1]
          lines.map { |line| "#{indent}  #{line}\n" }.join
        end
      end

      private

      # What an app has once; a second model only needs its columns.
      def template_once(source, path)
        return template(source, path) unless File.exist?(File.join(destination_root, path))

        say_status(:skip, path, :yellow)
      end

      def model_class
        @model_class ||= model.camelize.safe_constantize or
          raise Thor::Error, "there is no model #{model.camelize}; name yours: rails g echeck_returns:install MODEL"
      end

      def table
        model_class.table_name
      end

      def connection
        model_class.connection
      end

      def mysql?
        connection.adapter_name.match?(/mysql|trilogy/i)
      end

      # The text type of the adapter's own tables: MySQL cannot index one without a length.
      def text(limit)
        mysql? ? "string :%s, limit: #{limit}" : "text :%s"
      end

      def column(name, limit)
        format(text(limit), name)
      end

      def key(limit)
        mysql? ? "{ type: :string, limit: #{limit} }" : ":text"
      end

      def table_options
        mysql? ? ', charset: "utf8mb4", collation: "utf8mb4_bin"' : ""
      end

      def missing?(column)
        !connection.column_exists?(table, column)
      end

      # A migration that was generated for another model, and has not run yet, creates it too.
      def table_missing?(name)
        migrations = Dir[File.join(destination_root, "db/migrate/*.rb")].map { |file| File.read(file) }
        !connection.table_exists?(name) && migrations.none? { |text| text.include?("create_table :#{name}") }
      end

      def unique_index?
        connection.indexes(table).any? { |one| one.unique && one.columns == [options[:transfer_id_column]] }
      end

      def migration_version
        "[#{::ActiveRecord::Migration.current_version}]"
      end

      def returnable_line
        given = { status: options[:status_column], transfer_id: options[:transfer_id_column],
                  returned: @words.word("returned"), reversed: @words.word("reversed") }
        defaults = { status: "status", transfer_id: "transfer_id", returned: "returned", reversed: "reversed" }
        differing = (given.to_a - defaults.to_a).map { |key, value| "#{key}: #{value.inspect}" }
        differing.empty? ? [] : ["returnable #{differing.join(", ")}"]
      end
    end
  end
end
