# What the app did with webhook events. It has no unique index: it would show what was done twice.
class SeenEvent < ApplicationRecord
end
