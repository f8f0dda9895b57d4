Rails.application.routes.draw do
  resources :transactions, only: :show, param: :transfer_id
end
