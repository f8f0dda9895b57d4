class EftTransaction < ApplicationRecord
end
