# frozen_string_literal: true

RSpec.describe "A return in a Rails app" do
  # Each app loads its payments, imports a file that returns two of them, and saves what it loaded.
  before(:context) do
    files = { postgres: Proof.file("monday", "TR1" => "R01", "TR2" => "R02"),
              mariadb: Proof.file("tuesday", "TR3" => "R01", "TR4" => "R02") }
    ids = { postgres: %w[TR1 TR2], mariadb: %w[TR3 TR4] }
    @imported = Proof.each_app { |app| app.runner("import", files[app.kind], *ids[app.kind]) }
  end

  { postgres: %w[TR1 TR2], mariadb: %w[TR3 TR4] }.each do |kind, (pending, succeeded)|
    describe "on #{kind}" do
      let(:app) { Proof.apps.fetch(kind) }
      let(:imported) { @imported.fetch(kind) }

      def payment(model, id)
        imported[:payments].find { |one| one.values_at(:model, :transfer_id) == [model, id] }
      end

      it "is imported through the gem, with progress" do
        expect(imported[:state]).to eq "applied"
        expect(imported[:progress].map(&:first).uniq.size).to eq 1
        expect(imported[:progress].map(&:last).uniq).to include(nil, "applied")
      end

      it "shows in the model with an integer enum" do
        expect(payment("Transaction", pending))
          .to include(status: "returned", failure_code: "R01", failure_description: "Insufficient Funds",
                      returned_at: "2026-11-16T12:00:00Z", returned: true, reversed: false, ach_returned: true,
                      return_code: "R01", effect: "return")
        expect(payment("Transaction", succeeded))
          .to include(status: "reversed", failure_code: "R02", returned: false, reversed: true, ach_returned: true,
                      return_code: "R02", effect: "reverse")
      end

      it "shows in the model with a string" do
        expect(payment("EftTransaction", pending))
          .to include(status: "came_back", failure_code: "R01", returned: true, reversed: false, ach_returned: true)
        expect(payment("EftTransaction", succeeded))
          .to include(status: "taken_back", failure_code: "R02", returned: false, reversed: true, ach_returned: true)
      end

      it "cannot be overwritten by a record that was loaded before" do
        imported[:payments].each do |one|
          expect(one).to include(stale: "ActiveRecord::StaleObjectError", amount_cents: 5_000)
          expect(one[:lock_version]).to be > 0
        end
      end

      it "moves updated_at forward" do
        expect(imported[:payments].map { |one| one[:moved] }).to eq [true] * 4
      end

      it "is found by the scopes" do
        %i[Transaction EftTransaction].each do |model|
          expect(imported[:scopes][model])
            .to include(returned: [pending], reversed: [succeeded], ach_returned: match_array([pending, succeeded]))
        end
      end

      it "starts without a warning of its own" do
        expect(app.logged).not_to match(/WARN.*(scope|echeck_returns:)/i)
      end

      it "shows on a page of the app, by a worker whose master has used gRPC before the fork" do
        expect(File.read(File.join(app.folder, "tmp/master"))).to match(/\A\[/)
        page = app.get("/transactions/#{succeeded}")
        expect(page.code).to eq "200"
        expect(page.body.force_encoding("UTF-8")).to include("#{succeeded}: reversed", "R02 Account Closed, 50.00 USD")
        expect(app.get("/transactions/TR6").body).to include("TR6: succeeded").and(satisfy { |text| !text.include?("R0") })
      end
    end
  end
end
