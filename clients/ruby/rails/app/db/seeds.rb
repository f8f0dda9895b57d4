# Payments as the gateway has them.
succeeded, pending = ENV.values_at("SUCCEEDED", "PENDING").map { |ids| ids.split(",") }
{ succeeded: "paid", pending: "waiting" }.zip([succeeded, pending]).each do |(status, word), ids|
  ids.each do |id|
    Transaction.create!(transfer_id: id, amount_cents: 5_000, status: status)
    EftTransaction.create!(transfer_id: id, amount_cents: 5_000, status: word)
  end
end

# A second database, of db/schema.rb alone, to compare with this one.
ActiveRecord::Base.establish_connection(ENV.fetch("BY_SCHEMA"))
load Rails.root.join("db/schema.rb")
