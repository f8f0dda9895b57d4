class TransactionsController < ActionController::Base
  def show
    @transaction = Transaction.find_by!(transfer_id: params[:transfer_id])
    @ach_return = @transaction.ach_return
  end
end
