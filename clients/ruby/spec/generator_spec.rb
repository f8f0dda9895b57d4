# frozen_string_literal: true

require "active_support/core_ext/hash/indifferent_access"
require "generators/echeck_returns/install/status_words"

RSpec.describe EcheckReturns::Generators::StatusWords do
  let(:options) do
    { status_column: "status", failed: "failed", returned: "returned", reversed: "reversed", restored: "restored",
      open: %w[pending succeeded] }
  end

  def words(type, enum: nil, **changed)
    column = Struct.new(:type).new(type)
    enums = enum ? { "status" => enum } : {}
    model = Struct.new(:name, :table_name, :columns_hash, :defined_enums)
                  .new("Payment", "payments", { "status" => column }, enums)
    described_class.new(model, options.merge(changed).with_indifferent_access)
  end

  it "takes the numbers of an integer enum" do
    found = words(:integer, enum: { "pending" => 0, "failed" => 7, "returned" => 8, "reversed" => 9, "restored" => 10 })
    expect(found.kind).to eq "integer"
    expect(%w[failed returned reversed restored].map { |key| found.toml(key) }).to eq %w[7 8 9 10]
    expect(found.open).to eq '["0"]'
  end

  it "takes the words of a string, with an enum or without one" do
    expect(words(:string).toml("reversed")).to eq '"reversed"'
    found = words(:string, enum: { "pending" => "P", "failed" => "F", "returned" => "R" })
    expect(found.toml("returned")).to eq '"R"'
    expect(found.open).to eq '["P"]'
  end

  it "shows a reversal as a return, and no restoration, where the app has no status for it" do
    found = words(:integer, enum: { "succeeded" => 1, "failed" => 2, "returned" => 3 })
    expect(found.toml("reversed")).to eq "3"
    expect(found.toml("restored")).to be_nil
    expect(found.word("reversed")).to eq "returned"
  end

  it "says what an app must add first" do
    missing = described_class::Missing
    expect { words(:integer) }.to raise_error(missing, "Payment#status is an integer, but the model declares no enum for it")
    expect { words(:integer, enum: { "pending" => 0, "failed" => 1 }) }
      .to raise_error(missing, "the enum Payment#status lacks returned; add it, or name the app's own word with --returned")
    expect { words(:string, status_column: "state") }.to raise_error(missing, /has no column state.*--status-column/)
    expect { words(:integer, enum: { "failed" => 1, "returned" => 2 }) }.to raise_error(missing, /--open/)
  end
end
