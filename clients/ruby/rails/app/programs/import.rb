# Loads records, imports a file that returns them, and tries to save what it loaded before.
require "json"

file, *ids = ARGV
loaded = [Transaction, EftTransaction].product(ids).map { |model, id| model.find_by!(transfer_id: id) }
before = loaded.map(&:updated_at)
progress = []
result = EcheckReturns.import_file(Pathname(file), source: "worldpay_returns") do |one|
  progress << [one.bytes_sent, one.import&.state]
end
payments = loaded.zip(before).map do |stale, was|
  error = begin
    stale.update!(amount_cents: 1)
    nil
  rescue ActiveRecord::ActiveRecordError => e
    e.class.name
  end
  now = stale.class.find(stale.id)
  ach_return = now.ach_return
  { model: stale.class.name, transfer_id: now.transfer_id, status: now.status, failure_code: now.failure_code,
    failure_description: now.failure_description, returned_at: now.returned_at&.utc&.iso8601,
    moved: now.updated_at > was, lock_version: now.lock_version, amount_cents: now.amount_cents, stale: error,
    returned: now.returned?, reversed: now.reversed?, ach_returned: now.ach_returned?,
    return_code: ach_return.return_code, effect: ach_return.effect }
end
scopes = [Transaction, EftTransaction].to_h do |model|
  names = %i[returned reversed ach_returned]
  [model.name, names.to_h { |name| [name, model.public_send(name).where(transfer_id: ids).pluck(:transfer_id)] }]
end
puts JSON.generate(payments: payments, scopes: scopes, state: result.import.state, progress: progress)
