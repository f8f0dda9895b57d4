# frozen_string_literal: true

RSpec.describe EcheckReturns::Value do
  let(:v1) { Echeck::Returns::V1 }

  it "keeps the number of an enum value that it does not know" do
    value = EcheckReturns::AchReturn.from_proto(v1::AchReturn.new(effect: 42, stage: :ACH_RETURN_STAGE_CONTESTED))
    expect(value).to have_attributes(effect: :unknown_42, stage: :contested, representment: nil)
    expect(EcheckReturns::Enums.unknown?(value.effect)).to be true
    expect(EcheckReturns::Enums.unknown_number(value.effect)).to eq 42
    expect(EcheckReturns::Enums.unknown?(value.stage)).to be false
    expect(EcheckReturns::Messages.build(:ListReturnsRequest, effect: value.effect).effect).to eq 42
  end

  it "ignores a field that it does not know" do
    newer = v1::Hold.new(hold_id: "hold_1").to_proto + "\xFA\x7F\x03new".b
    expect(EcheckReturns::Hold.from_proto(v1::Hold.decode(newer)).id).to eq "hold_1"
  end

  it "tells an amount of zero from none" do
    expect(EcheckReturns::Hold.from_proto(v1::Hold.new).amount).to be_nil
    zero = EcheckReturns::Hold.from_proto(v1::Hold.new(amount_minor: 0, currency: "USD"))
    expect(zero.amount.to_s).to eq "0.00 USD"
  end

  it "does not take a date that is none" do
    message = v1::AchReturn.new(deadline: "2026-02-30")
    expect { EcheckReturns::AchReturn.from_proto(message) }
      .to raise_error(EcheckReturns::ProtocolError, 'deadline is "2026-02-30", not a date')
  end

  it "has every field of each message, so that none is forgotten" do
    pairs = { EcheckReturns::Transfer => v1::Transfer, EcheckReturns::AchReturn => v1::AchReturn,
              EcheckReturns::Hold => v1::Hold, EcheckReturns::Import => v1::Import,
              EcheckReturns::ImportTotals => v1::ImportTotals, EcheckReturns::Tally => v1::Tally,
              EcheckReturns::Rejection => v1::Rejection, EcheckReturns::Finding => v1::Finding,
              EcheckReturns::DatabaseProgress => v1::DatabaseProgress,
              EcheckReturns::DishonorGround => v1::DishonorGround, EcheckReturns::CorrectedField => v1::CorrectedField,
              EcheckReturns::TransferError => v1::TransferError,
              EcheckReturns::StreamedReturn => v1::StreamReturnsResponse,
              EcheckReturns::HoldResolution => v1::ResolveHoldResponse,
              EcheckReturns::ImportResult => v1::ImportFileResponse }
    pairs.each do |value, message|
      expect(value.attributes.values.map(&:last)).to match_array(message.descriptor.map(&:name)), value.name
    end
  end

  it "shows a long text shortened" do
    shown = EcheckReturns::Transfer.from_proto(v1::Transfer.new(id: "TR1", raw_json: "x" * 5_000)).inspect
    expect(shown).to include('id="TR1"').and(satisfy { |text| text.size < 400 })
  end
end

RSpec.describe EcheckReturns::Money do
  it "knows the minor unit of each currency" do
    expect(described_class.new(1_234, "USD").to_s).to eq "12.34 USD"
    expect(described_class.new(-5, "USD").to_s).to eq "-0.05 USD"
    expect(described_class.new(1_234, "JPY").to_d).to eq 1_234
    expect(described_class.new(1_234, "BHD").to_s).to eq "1.234 BHD"
    expect(described_class.new(9_007_199_254_740_993, "USD").to_d.to_s("F")).to eq "90071992547409.93"
  end

  it "does not compare two currencies" do
    expect(described_class.new(1, "USD")).not_to eq described_class.new(1, "CAD")
    expect { described_class.new(1, "USD") < described_class.new(2, "CAD") }.to raise_error(ArgumentError)
    expect([described_class.new(2, "USD"), described_class.new(1, "USD")].min.minor).to eq 1
  end
end
