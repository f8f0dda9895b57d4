# frozen_string_literal: true

RSpec.describe "rails generate echeck_returns:install" do
  # Every column of the adapter's tables. CHAR and VARCHAR of one length hold the same.
  def columns(kind, database)
    schema = kind == :postgres ? "current_schema()" : "DATABASE()"
    Proof.databases.sql(kind, database, <<~SQL).map { |row| row.tr("\t", "|").sub("|char|", "|varchar|") }
      SELECT table_name, column_name, data_type, is_nullable, character_maximum_length, collation_name
      FROM information_schema.columns
      WHERE table_schema = #{schema} AND table_name IN
        ('echeck_cursor', 'echeck_identity', 'echeck_exceptions', 'echeck_adoptions')
      ORDER BY table_name, column_name
    SQL
  end

  def constraints(kind, database)
    schema = kind == :postgres ? "current_schema()" : "DATABASE()"
    Proof.databases.sql(kind, database, <<~SQL)
      SELECT table_name, constraint_type, count(*) FROM information_schema.table_constraints
      WHERE table_schema = #{schema} AND table_name LIKE 'echeck!_%' ESCAPE '!' AND table_name NOT LIKE '%webhook%'
        AND NOT (constraint_type = 'CHECK' AND constraint_name LIKE '%not_null')
      GROUP BY table_name, constraint_type ORDER BY 1, 2
    SQL
  end

  %i[postgres mariadb].each do |kind|
    describe "on #{kind}" do
      let(:app) { Proof.apps.fetch(kind) }

      def read(path)
        File.read(File.join(app.folder, path))
      end

      it "writes the adapter's own tables as the adapter wants them, and db/schema.rb keeps them" do
        wanted = columns(kind, "by_sql")
        expect(wanted.size).to eq 27
        expect(columns(kind, "app")).to eq wanted
        expect(columns(kind, "by_schema")).to eq wanted
        expect(constraints(kind, "app")).to eq constraints(kind, "by_sql")
        expect(constraints(kind, "by_schema")).to eq constraints(kind, "by_sql")
      end

      it "adds only the columns that a model lacks" do
        first, second = Dir[File.join(app.folder, "db/migrate/*echeck*")].sort.map { |file| File.read(file) }
        expect(first.scan(/add_column :transactions, :(\w+)/).flatten)
          .to eq %w[failure_code failure_description returned_at reversal_ready_at lock_version]
        expect(first).to include("add_index :transactions, :transfer_id, unique: true")
        expect(second.scan(/add_column :eft_transactions, :(\w+)/).flatten)
          .to eq %w[failure_description returned_at reversal_ready_at]
        expect(second).not_to match(/create_table|add_index/)
      end

      it "writes a configuration that fits the table, for each kind of status" do
        expect(read("config/rallypay-adapter.toml"))
          .to include('status_kind = "integer"', "reversed = 4\n", 'open = ["0", "1"]')
        expect(read("config/rallypay_eft-adapter.toml"))
          .to include('table = "eft_transactions"', 'status_kind = "string"', 'reversed = "taken_back"',
                      'open = ["waiting", "paid"]')
        [kind.to_s, "#{kind}_eft"].each do |mirror|
          said = Proof.suite.check_mirror(mirror, "TR6")
          expect(said).to include("ok: the mapping fits", "ok: tried and rolled back: fail, return")
          expect(said).not_to include("warning")
        end
      end

      it "includes the concern, mounts the engine, and writes the initializer and the job once" do
        expect(read("app/models/transaction.rb")).to match(/  enum status: .*\n  include EcheckReturns::Returnable\nend\n\z/)
        expect(read("app/models/eft_transaction.rb")).to include('returnable returned: "came_back", reversed: "taken_back"')
        expect(read("config/routes.rb").scan("mount EcheckReturns::Engine").size).to eq 1
        expect(read("config/initializers/echeck_returns.rb")).to include("ECHECK_WEBHOOK_SECRETS")
        expect(app.generated.scan(%r{create  app/jobs}).size).to eq 1
      end
    end
  end
end
