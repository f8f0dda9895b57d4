# frozen_string_literal: true

require "active_record"

# Its scopes are tested in real apps, on real databases.
RSpec.describe EcheckReturns::Returnable do
  include Servers

  # A model without a table: an object with the methods that the concern asks for.
  let(:model) do
    Class.new do
      def self.scope(*); end
      include EcheckReturns::Returnable

      attr_accessor :transfer_id, :status
    end
  end
  let(:payment) { model.new.tap { |one| one.transfer_id = "TR1" } }

  it "asks the service for the return" do
    @started << server
    EcheckReturns.configure { |c| c.address = server.address }
    expect(payment.ach_return).to be_nil
    server.add_transfer(id: "TR1", ach_return: { return_code: "R01" })
    expect(payment.ach_return.return_code).to eq "R01"
    payment.transfer_id = ""
    expect(payment.ach_return).to be_nil
  end

  it "does not hide that the service is away" do
    EcheckReturns.configure { |c| c.address = nobody }
    EcheckReturns.configure { |c| c.max_attempts = 1 }
    expect { payment.ach_return }.to raise_error(EcheckReturns::Unavailable)
  end

  it "takes the app's own words, in this model alone" do
    other = Class.new(model)
    other.returnable(returned: "came_back")
    payment.status = "returned"
    expect([payment.returned?, payment.reversed?, payment.ach_returned?]).to eq [true, false, true]
    expect(other.new.tap { |one| one.status = "came_back" }).to be_returned
    expect(other.new.tap { |one| one.status = "returned" }).not_to be_ach_returned
    expect { other.returnable(color: "red") }.to raise_error(ArgumentError, "unknown keyword: :color")
  end

  it "can be included before or after an enum of the same words" do
    [true, false].each do |first|
      expect do
        Class.new(ActiveRecord::Base) do
          include EcheckReturns::Returnable if first
          enum status: { pending: 0, returned: 1, reversed: 2 }
          include EcheckReturns::Returnable unless first
        end
      end.not_to raise_error
    end
  end
end
