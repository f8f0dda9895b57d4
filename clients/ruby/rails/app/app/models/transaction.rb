class Transaction < ApplicationRecord
  enum status: { pending: 0, succeeded: 1, failed: 2, returned: 3, reversed: 4, restored: 5 }
end
