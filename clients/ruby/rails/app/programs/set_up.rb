# What `bin/rails db:create db:migrate`, `bin/rails generate …` and `bin/rails db:migrate db:seed` do, in
# one process, because each start of Rails takes seconds.
require "rails/command"

Rails.application.load_tasks
run = lambda do |task|
  Rake::Task[task].invoke
  Rake::Task.tasks.each(&:reenable)
end
run.call("db:create")
run.call("db:migrate")
Rails::Command.invoke(:generate, %w[echeck_returns:install])
Rails::Command.invoke(:generate, %w[echeck_returns:install EftTransaction --adapter-name rallypay_eft --open waiting
                                    paid --returned came_back --reversed taken_back])
run.call("db:migrate")
[Transaction, EftTransaction].each(&:reset_column_information)
run.call("db:seed")
